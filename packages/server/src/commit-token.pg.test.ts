import { drizzle } from 'drizzle-orm/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commitToken } from './commit-token.js';
import type { TestDatabase } from './testing/postgres.js';
import { sharedDatabase } from './testing/shared.js';

// C26: the token is in the WAL as a message of the very transaction, whoever's handle made it.

let database: TestDatabase;
let pool: pg.Pool;
const slot = `tokens_${process.pid}`;

beforeAll(async () => {
  database = await sharedDatabase('CREATE TABLE made (by text PRIMARY KEY)');
  pool = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  await pool.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
});
afterAll(async () => {
  await pool.query(`SELECT pg_drop_replication_slot('${slot}')`);
  await pool.end();
  await database.drop();
});

/** The tags of the messages that the slot gives: B(egin), R(elation), I(nsert), M(essage), C(ommit); a message whole. */
async function streamed(): Promise<string[]> {
  const { rows } = await pool.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_get_binary_changes('${slot}', NULL, NULL,
       'proto_version', '1', 'publication_names', 'sluice', 'messages', 'true')`,
  );
  return rows.map(({ data }) => {
    const tag = String.fromCharCode(data[0] ?? 0);
    return tag === 'M'
      ? `M ${data
          .toString('latin1')
          .slice(10)
          .replaceAll(/[^\w.-]+/g, ' ')}`
      : tag;
  });
}

const INSERT = `INSERT INTO made VALUES ('x') ON CONFLICT (by) DO UPDATE SET by = 'x'`;

const handles: Record<string, () => Promise<string>> = {
  'a client of pg': async () => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query(INSERT);
      const token = await commitToken(client);
      await client.query('COMMIT');
      return token;
    } finally {
      client.release();
    }
  },
  'postgres.js': async () => {
    const sql = postgres(database.adminUrl, { max: 1 });
    try {
      return await sql.begin(async (tx) => {
        await tx.unsafe(INSERT);
        return commitToken(tx);
      });
    } finally {
      await sql.end();
    }
  },
  Drizzle: () =>
    drizzle(pool).transaction(async (tx) => {
      await tx.execute(INSERT);
      return commitToken(tx);
    }),
  Kysely: () =>
    new Kysely<{ made: { by: string } }>({ dialect: new PostgresDialect({ pool }) })
      .transaction()
      .execute(async (tx) => {
        await tx
          .insertInto('made')
          .values({ by: 'kysely' })
          .onConflict((on) => on.doNothing())
          .execute();
        return commitToken(tx);
      }),
};

test.each(Object.keys(handles))('%s carries the token in its own transaction', async (name) => {
  const token = await handles[name]?.();
  const messages = await streamed();
  const id = token?.slice('token-'.length);
  expect(messages.filter((message) => message.startsWith('M'))).toEqual([
    expect.stringContaining(`sluice.token ${id}`),
  ]);
  expect(messages.map((message) => message[0]).join('')).toMatch(/^B(R?[IU])?MC$/);
});

test('a token of a transaction that rolls back never comes', async () => {
  const client = await pool.connect();
  await client.query('BEGIN');
  await commitToken(client);
  await client.query('ROLLBACK');
  client.release();
  expect(await streamed()).toEqual([]);
});

test.each([null, undefined, 7, 'tx', {}, { query: 'no function' }])('%j is no handle', async (handle) => {
  await expect(commitToken(handle)).rejects.toMatchObject({ code: 'token_handle_unknown' });
});
