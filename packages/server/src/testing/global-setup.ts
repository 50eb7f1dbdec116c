import type { TestProject } from 'vitest/node';
import { startTestPostgres } from './postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Port of the Postgres that the whole suite shares. Tests make databases of their own on it. */
    postgresPort: number;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres();
  project.provide('postgresPort', server.port);
  return () => server.destroy();
}
