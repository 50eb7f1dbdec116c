import { expect, test } from 'vitest';
import { startTestPostgres, withClient } from './postgres.js';
import { sharedDatabase } from './shared.js';

test('a database of its own on the shared server, published, as roles without rights of their own', async () => {
  const database = await sharedDatabase('CREATE TABLE a (id int PRIMARY KEY)');
  const rights = await withClient(database.url, (client) =>
    client.query(`SELECT rolsuper, rolbypassrls, (SELECT count(*)::int FROM pg_publication_tables) AS tables
                  FROM pg_roles WHERE rolname = current_user`),
  );
  expect(rights.rows).toEqual([{ rolsuper: false, rolbypassrls: false, tables: 1 }]);
  await database.drop();
});

test('survives a kill and a restart with its data', async () => {
  const server = await startTestPostgres({ settings: { fsync: 'on' } });
  try {
    await withClient(server.url(), (client) => client.query('CREATE TABLE kept AS SELECT 7 AS n'));
    await server.kill();
    await server.start();
    const kept = await withClient(server.url(), (client) => client.query('SELECT n FROM kept'));
    expect(kept.rows).toEqual([{ n: 7 }]);
  } finally {
    await server.destroy();
  }
});
