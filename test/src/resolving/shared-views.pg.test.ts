import { createClient } from '@sluice/client';
import { createSluice } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';

// Queries that differ in what they call their columns share a view, and each has its own names.

test('queries that call the same columns otherwise', async () => {
  const database = await sharedDatabase(`
    CREATE TABLE issue (id int PRIMARY KEY, title text NOT NULL);
    INSERT INTO issue VALUES (1, 'First')`);
  const sluice = createSluice({
    database: database.url,
    port: 0,
    logLevel: 'silent',
    graceMs: 0,
    queries: {
      one: { sql: 'SELECT id, title FROM issue ORDER BY id' },
      other: { sql: 'SELECT id AS key, title AS name FROM issue ORDER BY id' },
    },
  });
  const base = await sluice.listen();
  const { client } = createClient({ url: base.replace(/\/sluice$/, '') });
  const [one, other] = [client.live({ query: 'one' }), client.live({ query: 'other' })];
  await Promise.all([one.ready, other.ready]);
  expect(one.rows).toEqual([{ id: 1, title: 'First' }]);
  expect(other.rows).toEqual([{ key: 1, name: 'First' }]);
  expect(other.shape?.columns.map(({ name }) => name)).toEqual(['key', 'name']);

  await database.sql(`UPDATE issue SET title = 'Changed'`);
  const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
  await client.reached(String(rows[0]?.['lsn']));
  expect([one.rows, other.rows]).toEqual([[{ id: 1, title: 'Changed' }], [{ key: 1, name: 'Changed' }]]);

  const answer = await fetch(`${base}/subscribe`, {
    method: 'POST',
    body: JSON.stringify({ query: 'other' }),
  });
  expect(await answer.json()).toMatchObject({
    views: [{ shape: { columns: [{ name: 'key' }, { name: 'name' }] } }],
  });
  client.close();
  await sluice.stop();
  await database.drop();
});
