import { inject } from 'vitest';
import { createTestDatabase, type TestDatabase } from './postgres.js';

/** A database on the Postgres that the suite shares; `setup` creates the tables, which are then published. */
export function sharedDatabase(setup?: string, creation?: string): Promise<TestDatabase> {
  const port = inject('postgresPort');
  return createTestDatabase(
    { url: (database = 'postgres', user = 'postgres') => `postgres://${user}@127.0.0.1:${port}/${database}` },
    setup,
    creation,
  );
}
