import pg from 'pg';
import { expect, test } from 'vitest';
import { onSchemaStage } from './kit/schema-stage.js';

// DDL sends no rows, and changes answers all the same. Seen from a client, with the catalog polled.

test('a client follows the schema: rewritten rows, new and changed columns, rights, names', async () => {
  await onSchemaStage(
    `CREATE TABLE t (id int PRIMARY KEY, v int, w text); INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b');
     CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)`,
    { eventTrigger: false },
    async ({ database, client }) => {
      const open = (sql: string) => client.live({ sql, params: [] });
      const [filter, sum, star] = [
        open('SELECT id, v FROM t ORDER BY id'),
        open('SELECT sum(v) FROM t'),
        open('SELECT * FROM t ORDER BY id'),
      ];
      const untouched = open('SELECT id FROM other ORDER BY id');
      const statuses = new Set<string>();
      filter.subscribe(() => statuses.add(filter.status));
      const shows = (view: typeof filter, rows: unknown[]): Promise<void> =>
        expect.poll(() => [view.status, view.rows]).toEqual(['current', rows]);
      await shows(sum, [{ sum: '3' }]);

      await database.sql('ALTER TABLE t ALTER v TYPE int USING v + 10');
      await shows(filter, [
        { id: '1', v: '11' },
        { id: '2', v: '12' },
      ]);
      await shows(sum, [{ sum: '23' }]);

      await database.sql('ALTER TABLE t ADD COLUMN x int DEFAULT 7; ALTER TABLE t DROP COLUMN w');
      await shows(star, [
        { id: '1', v: '11', x: '7' },
        { id: '2', v: '12', x: '7' },
      ]);

      await database.sql(`ALTER TABLE t ALTER v TYPE text USING 'v' || v`);
      await shows(filter, [
        { id: '1', v: 'v11' },
        { id: '2', v: 'v12' },
      ]);
      // There is no sum of texts.
      await expect.poll(() => [sum.status, sum.error?.retry]).toEqual(['error', false]);

      expect(statuses).not.toContain('error');
      await database.sql('REVOKE SELECT ON t FROM sluice_client');
      await expect.poll(() => [filter.status, filter.error?.code]).toEqual(['error', 'read_not_permitted']);

      await database.sql('INSERT INTO other VALUES (2)');
      await shows(untouched, [{ id: '1' }, { id: '2' }]);
      await database.sql('DROP TABLE other');
      await expect.poll(() => untouched.status).toBe('error');
    },
  );
});

test('while a table that was altered is locked, what is shown of it does not pass for current', async () => {
  await onSchemaStage(
    `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
     CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)`,
    { eventTrigger: false },
    async ({ database, client }) => {
      const star = client.live({ sql: 'SELECT * FROM t', params: [] });
      const other = client.live({ sql: 'SELECT id FROM other ORDER BY id', params: [] });
      await expect.poll(() => [star.status, star.rows]).toEqual(['current', [{ id: '1' }]]);
      await expect.poll(() => [other.status, other.rows]).toEqual(['current', [{ id: '1' }]]);

      const [altering, locking] = [1, 2].map(
        () => new pg.Client({ connectionString: database.adminUrl }),
      ) as [pg.Client, pg.Client];
      await Promise.all([altering.connect(), locking.connect()]);
      try {
        await altering.query('BEGIN; ALTER TABLE t ADD COLUMN x int DEFAULT 7');
        await locking.query('BEGIN');
        const { rows } = await locking.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        const locked = locking.query('LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
        // In the queue before anybody else.
        const waits = async (): Promise<number> =>
          (await database.sql(`SELECT FROM pg_locks WHERE pid = ${rows[0]?.pid} AND NOT granted`)).rows
            .length;
        await expect.poll(waits).toBe(1);
        await altering.query('COMMIT');
        await locked;
        // The connection goes on without it, within a second or two of the poll.
        let id = 1;
        await expect
          .poll(async () => {
            await database.sql('INSERT INTO other VALUES ($1)', [++id]);
            await expect.poll(() => other.rows.length).toBe(id);
            return star.status;
          })
          .toBe('behind');
        expect([star.rows, other.status]).toEqual([[{ id: '1' }], 'current']);
        await locking.query('COMMIT');
        await expect.poll(() => [star.status, star.rows]).toEqual(['current', [{ id: '1', x: '7' }]]);
      } finally {
        await Promise.all([altering.end(), locking.end()]);
      }
    },
  );
});
