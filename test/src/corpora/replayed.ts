import { must } from '@sluice/core/assert';
import { createTestDatabase, withClient, type TestDatabase } from '@sluice/server/testing/postgres';
import type { EmbeddedPostgres } from '@sluice/server/embedded/embedded-postgres';
import pg from 'pg';
import type { Random } from '../kit/random.js';
import type { Subscribed } from './corpus.js';
import { follow } from './follow.js';
import { giveKeys, isDone } from './keys.js';
import type { Tally } from './tally.js';

/** A script of someone else's: what makes its tables, and what it asks of them. */
export interface Replayed {
  readonly name: string;
  readonly statements: readonly string[];
  readonly queries: readonly Subscribed[];
  /** Every query is one that Postgres takes on these tables. */
  readonly isOurs: boolean;
}

export interface ReplayOptions {
  readonly server: Pick<EmbeddedPostgres, 'url'>;
  readonly random: Random;
  readonly rounds: number;
  /** Of one script; what is beyond is drawn by lot. */
  readonly queriesMax: number;
  /** Tables get a key that have none. */
  readonly keys: boolean;
  readonly tally: Tally;
}

/** Followed at once. */
const BATCH = 300;
const ROWS_MAX = 5_000;

/** Makes the tables in a database of its own, and follows the queries that can be. @returns a line about it */
export async function replay(script: Replayed, options: ReplayOptions): Promise<string> {
  const database = await createTestDatabase(options.server);
  try {
    const made = await withClient(database.adminUrl, (client) =>
      make(client, script.statements, options.keys),
    );
    await database.publish();
    const usable = script.isOurs
      ? script.queries
      : await withClient(database.adminUrl, (client) => replayable(client, script.queries));
    const chosen = options.random.fork('queries');
    const queries = usable
      .map((query) => ({ query, lot: chosen.float() }))
      .toSorted((a, b) => a.lot - b.lot)
      .slice(0, options.queriesMax)
      .map(({ query }) => query);
    for (let at = 0; at < queries.length; at += BATCH)
      await followBatch(database, queries.slice(at, at + BATCH), options);
    return `${script.name}: ${made}; ${script.queries.length} queries, ${usable.length} replayable, ${queries.length} followed`;
  } finally {
    await database.drop();
  }
}

async function followBatch(
  database: TestDatabase,
  queries: readonly Subscribed[],
  { random, rounds, tally }: ReplayOptions,
): Promise<void> {
  await follow(database, queries, { random, rounds }, tally);
}

async function make(client: pg.Client, statements: readonly string[], keys: boolean): Promise<string> {
  await client.query(
    "SET statement_timeout = '20s'; SET lock_timeout = '2s'; SET client_min_messages = error",
  );
  let failed = 0;
  for (const statement of statements) if (!(await made(client, statement))) failed++;
  const { rows } = await client.query<{ path: string }>(
    `SELECT concat_ws(', ', nullif(current_setting('search_path'), '""'), 'public') AS path`,
  );
  await client.query('RESET ALL');
  // Where the script looks for its tables at its end, there those look that follow it.
  const { path } = must(rows[0], 'a setting');
  await client.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = ', current_database()) || ${pg.escapeLiteral(path)}; END $$`,
  );
  const given = keys ? await giveKeys(client) : { found: 0, added: 0 };
  return `${statements.length - failed} of ${statements.length} statements, keys for ${given.found} tables, columns added to ${given.added}`;
}

/** What is there already is made anew: scripts make many a table twice, and dropping is left out. */
async function made(client: pg.Client, statement: string): Promise<boolean> {
  if (await isDone(client, statement)) return true;
  const [, kind, name] = /^create\s+(table|view)\s+(?:if\s+not\s+exists\s+)?([\w."]+)/i.exec(statement) ?? [];
  if (kind === undefined || name === undefined) return false;
  return (await isDone(client, `DROP ${kind} ${name} CASCADE`)) && isDone(client, statement);
}

/** Those that read tables, do not fail on the tables as they are at the end, and say the same when asked twice. */
async function replayable(client: pg.Client, queries: readonly Subscribed[]): Promise<readonly Subscribed[]> {
  await client.query("SET statement_timeout = '2s'");
  const usable = new Map<string, Subscribed>();
  for (const query of queries) {
    if (usable.has(query.sql)) continue;
    if (!(await readsTable(client, query.sql))) continue;
    const [once, twice] = [await digest(client, query.sql), await digest(client, query.sql)];
    if (once !== null && once === twice) usable.set(query.sql, query);
  }
  return [...usable.values()];
}

async function readsTable(client: pg.Client, sql: string): Promise<boolean> {
  try {
    const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(`EXPLAIN (VERBOSE, FORMAT JSON) ${sql}`);
    const plan = JSON.stringify(rows[0]?.['QUERY PLAN'] ?? null);
    return [...plan.matchAll(/"Schema":"([^"]*)"/g)].some(
      ([, schema]) => !/^(?:pg_|information_schema)/.test(schema ?? ''),
    );
  } catch {
    return false;
  }
}

async function digest(client: pg.Client, sql: string): Promise<string | null> {
  await client.query('BEGIN READ ONLY');
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    if (rows.length > ROWS_MAX) return null;
    return JSON.stringify(rows.map((row) => JSON.stringify(row)).toSorted());
  } catch {
    return null;
  } finally {
    await client.query('ROLLBACK');
  }
}
