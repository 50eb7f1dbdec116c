// C19 on a real stream: what a reader that is slower than the WAL asks less of, and when.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { startTestSource, type TestSource } from '../testing/source.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import type { PostgresSourceOptions } from './source-options.js';

const MB = 1_048_576;
const LIMIT = 32 * MB;
/** How much may be written that the source has not looked at yet: less than there is from one limit to the next. */
const UNSEEN_MAX = BigInt(4 * MB);

let server: TestPostgres;
let db: TestDatabase;
/** Carries the stream only. */
let proxy: TcpProxy;
let made: TestSource;
/** The end of the WAL when the source began. */
let begunAt: bigint;

beforeAll(async () => {
  server = await startTestPostgres({ settings: { autovacuum: 'off' } });
});
afterAll(() => server.destroy());
beforeEach(async () => {
  db = await createTestDatabase(server, 'CREATE TABLE a (id serial PRIMARY KEY, t text)');
  proxy = await TcpProxy.start(server.port);
});
afterEach(async () => {
  await made.stop();
  await proxy.close();
  await db.drop();
});

async function begin(options: Partial<PostgresSourceOptions> = {}): Promise<void> {
  const replication = db.url.replace(`:${server.port}/`, `:${proxy.port}/`);
  const fast = { retryMs: 10, retryMsMax: 200, probeMs: 30, silenceMs: 600_000 };
  begunAt = await walEnd();
  made = await startTestSource(db, { replication, maxRetainedWalBytes: LIMIT, ...fast, ...options });
}

/** Writes about a megabyte at a time until it is so, no faster than the source looks: it sees each of its limits. */
async function writeUntil(done: () => boolean): Promise<void> {
  await until(async () => {
    if (done()) return true;
    await db.sql(`INSERT INTO a (t) SELECT repeat(md5(i::text), 30) FROM generate_series(1, 1000) i`);
    const written = (await walEnd()) - begunAt;
    await until(() => done() || (made.source.status().retainedWalBytes ?? 0n) + UNSEEN_MAX >= written);
    return false;
  });
}

const stages = (): string[] =>
  made.events.flatMap((event) => (event.kind === 'backlog' ? [event.stage] : []));
const nothing = (): Promise<null> => Promise.resolve(null);

test('at half of the limit no read begins, at three quarters open ones are given up, and all goes on by itself', async () => {
  await begin();
  const { source, listener } = made;
  const open = await source.fetch({ tables: [] }, nothing);
  proxy.pause('toClient');
  await writeUntil(() => source.status().backlog === 'pause');
  expect(open.unseen()).toEqual([]);
  const told = (): string | undefined => listener.backlogs.at(-1);
  let readAt: string | undefined;
  const waiting = source.fetch({ tables: [] }, () => {
    readAt = told();
    return nothing();
  });
  const passing = source.passed((await walEnd()) as typeof source.position);
  const late = expect(passing).rejects.toMatchObject({ code: 'read_given_up', retry: true });

  await writeUntil(() => source.status().backlog === 'shed');
  await late;
  expect(() => open.unseen()).toThrow('given up');
  expect(source.status()).toMatchObject({ openFetches: 0, retainedTransactions: 0 });
  expect(readAt).toBeUndefined();

  proxy.resume();
  const fetch = await waiting;
  expect(readAt).toBe('none'); // the listener knows before anything is read
  await source.passed(fetch.upper);
  // Marks of our own may come after it: nobody wrote anything.
  expect(fetch.unseen().flatMap(({ changes }) => changes)).toEqual([]);
  fetch.end();
  expect(stages()).toEqual(['pause', 'shed', 'none']);
  expect(listener.backlogs).toEqual(stages());
  expect(listener.violations).toEqual([]);
  expect(source.status()).toMatchObject({
    backlog: 'none',
    backlogMs: 0,
    backlogs: { pause: 1, shed: 1 },
    slotsGivenUp: 0,
  });
});

test('what the stream has read does not count, whatever holds the WAL back', async () => {
  await begin();
  const { source, events } = made;
  const open = await source.fetch({ tables: [] }, nothing);
  await writeUntil(() => events.some((event) => event.kind === 'retained_wal' && event.percent === 75));
  expect(source.status()).toMatchObject({ retainedWalAlarmPercent: 75, slotsGivenUp: 0 });
  expect(stages()).toEqual([]);
  open.end();
  expect((await source.fetch({ tables: [] }, nothing)).chain).toBe(source.chain);
});

test('a backlog that does not go away in time ends with the slot, and reads begin under the next one', async () => {
  await begin({ backlogMsMax: 300 });
  const { source, events, listener } = made;
  proxy.pause('toClient');
  await writeUntil(() => source.status().backlog === 'pause');
  const waiting = source.fetch({ tables: [] }, nothing);
  await listener.until(() => listener.restarts.length === 2);
  const fetch = await waiting;
  expect(fetch.chain).toBe(source.chain);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'slot_given_up', why: 'behind' }));
  expect(source.status()).toMatchObject({ backlog: 'none', slotsGivenUp: 1 });
});

async function walEnd(): Promise<bigint> {
  const { rows } = await db.sql(`SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS lsn`);
  return BigInt((rows[0] as { lsn: string }).lsn);
}
