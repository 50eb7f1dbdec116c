import { createClient, encodeParams, type Client, type LiveView, type Shape } from '@sluice/client';
import { propertyNames } from '@sluice/core/row-decoder';
import { createSluice, type QueryText } from '@sluice/server';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { OUTPUT_SETTINGS } from '@sluice/server/source/database';
import { CLIENT_ROLE, type TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import pg from 'pg';
import { expect, test } from 'vitest';
import { ANY, OWN, TOTAL, type Entry } from './any-select/queries.js';
import { CHANGES, FILL, SCHEMA } from './any-select/schema.js';
import { answerOf, diffOf, errorAnswer, type Answer, type TextRow } from './judge/answer.js';
import { Random } from './kit/random.js';

// P8 and P1 at once: a few hundred different SELECTs, live together, against random changes. After each commit
// every one of them is what Postgres answers.

const SEED = process.env['SLUICE_SEED'] ?? '1';
const ROUNDS = Number(process.env['SLUICE_ROUNDS'] ?? 5);
/** Each of the texts is planned first. */
const PLANNED_MS = 2 * PATIENCE_MS;

interface Opened {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly ordered: boolean;
  readonly view: LiveView;
}

test(
  'any SELECT is live, and after every change what Postgres answers',
  { timeout: 10 * PATIENCE_MS },
  async () => {
    const database = await sharedDatabase(SCHEMA);
    const writer = new pg.Client({ connectionString: database.adminUrl });
    await writer.connect();
    const random = new Random(SEED);
    await change(writer, random, FILL);
    const sluice = createSluice({
      database: database.url,
      allowSql: true,
      port: 0,
      logLevel: 'silent',
      queries: { any: ({ args }) => args as QueryText & { readonly params: readonly unknown[] } },
    });
    const url = await sluice.listen();
    const truth = await clientRole(database);
    const clients = [0, 1, 2].map(() => createClient({ url, values: 'text' }).client);
    try {
      const opened = openAll(clients);
      await settled(opened, 'at first', PLANNED_MS);
      await compare(truth, opened, 'at first');
      for (let round = 1; round <= ROUNDS; round++) {
        await change(
          writer,
          random,
          Array.from({ length: 6 }, () => random.pick(CHANGES)),
        );
        const { rows } = await writer.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
        await Promise.all(
          clients.map((client) => client.reached(rows[0]?.lsn ?? '', { timeoutMs: PATIENCE_MS })),
        );
        await settled(opened, `round ${round}`);
        await compare(truth, opened, `round ${round}`);
      }
      const gears = opened.map(({ view }) => view.gear);
      expect(gears.filter((gear) => gear === 'incremental').length).toBeGreaterThan(350);
      expect(gears.filter((gear) => gear === 'rerun').length).toBeGreaterThan(100);
    } finally {
      for (const client of clients) client.close();
      await truth.end();
      await writer.end();
      await sluice.stop();
      await database.drop();
    }
  },
);

/** Ad hoc on one connection, the same as named queries on another, what only named queries may call on a third. */
function openAll([adHoc, named, own]: readonly Client[]): readonly Opened[] {
  const all = [...ordered(TOTAL, true), ...ordered(ANY, false)];
  return [
    ...all.filter(({ sql }) => !NAMED_ONLY.test(sql)).map((one) => open(adHoc, one, false)),
    ...all.filter((_, index) => index % 3 === 0).map((one) => open(named, one, true)),
    ...[...ordered(OWN, false), ...all.filter(({ sql }) => NAMED_ONLY.test(sql))].map((one) =>
      open(own, one, true),
    ),
  ];
}

/** Names, casts and functions that ad-hoc SQL may not use. */
const NAMED_ONLY = /::pair|regclass|regtype|current_schema/;

type Query = Omit<Opened, 'view'>;

function ordered(entries: readonly Entry[], total: boolean): readonly Query[] {
  return entries.flatMap((entry) => {
    const [sql, ...lists] = typeof entry === 'string' ? [entry] : entry;
    return (lists.length === 0 ? [[]] : lists).map((params) => ({ sql, params, ordered: total }));
  });
}

function open(client: Client | undefined, query: Query, named: boolean): Opened {
  if (client === undefined) throw new Error('a client for each kind');
  const { sql } = query;
  const params = encodeParams(query.params);
  const ref = named ? { query: 'any', args: { sql, params } } : { sql, params };
  return { ...query, view: client.live(ref) };
}

/** Every view has its answer, be it an error. */
async function settled(opened: readonly Opened[], when: string, withinMs = PATIENCE_MS): Promise<void> {
  const waiting = (): readonly Opened[] =>
    opened.filter(({ view }) => view.status !== 'current' && view.error?.retry !== false);
  const deadline = Date.now() + withinMs;
  while (waiting().length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(
    waiting().map(({ sql, params, view }) => [when, view.status, sql, params]),
    'no answer',
  ).toEqual([]);
}

async function compare(truth: pg.Client, opened: readonly Opened[], when: string): Promise<void> {
  const wrong: unknown[] = [];
  for (const { sql, params, ordered: total, view } of opened) {
    const right = await ask(truth, sql, params, total);
    const seen = shown(view, total);
    const same = right.kind === seen.kind && (right.kind === 'error' || right.digest === seen.digest);
    if (!same) wrong.push([when, view.gear, sql, params, ...diffOf(right, seen)]);
    if (total && view.status === 'current' && view.shape?.ordered !== true) wrong.push(['unordered', sql]);
  }
  expect(wrong, `${wrong.length} of ${opened.length} with seed ${SEED}`).toEqual([]);
}

async function ask(
  truth: pg.Client,
  sql: string,
  params: readonly unknown[],
  total: boolean,
): Promise<Answer> {
  try {
    const values = [...encodeParams(params)];
    const result = await truth.query<(string | null)[]>({ text: sql, values, rowMode: 'array' });
    return answerOf(result.rows, total);
  } catch (error) {
    return errorAnswer(String(error));
  }
}

function shown(view: LiveView, total: boolean): Answer {
  if (view.error !== null) return errorAnswer(`${view.error.code} ${view.error.detail ?? ''}`);
  return answerOf(
    view.rows.map((row) => texts(row, view.shape)),
    total,
  );
}

function texts(row: object, shape: Shape | null): TextRow {
  return propertyNames(shape ?? { columns: [], ordered: false }).map(
    (name) => Reflect.get(row, name) as string | null,
  );
}

/** A connection as the clients' role, with the settings under which values are printed. */
async function clientRole(database: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, types: { getTypeParser: () => String } });
  await client.connect();
  await client.query(`SET ROLE ${CLIENT_ROLE}; SET request.jwt.claims = '{}'`);
  for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) await client.query(`SET ${name} = '${value}'`);
  return client;
}

/** One transaction; a statement that cannot be done is left out. */
async function change(writer: pg.Client, random: Random, statements: readonly string[]): Promise<void> {
  await writer.query('BEGIN');
  await writer.query('SELECT setseed($1)', [random.float()]);
  for (const statement of statements) {
    await writer.query('SAVEPOINT one');
    await writer.query(statement).catch((error: unknown) => {
      if (statements === FILL) throw error;
      return writer.query('ROLLBACK TO one');
    });
  }
  await writer.query('COMMIT');
}
