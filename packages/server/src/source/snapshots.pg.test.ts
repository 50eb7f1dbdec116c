// Snapshots and the stream in the orders that hurt: C2, C4, C5, C7 and C18, each against a real Postgres that does it.
import { afterEach, expect, test } from 'vitest';
import pg from 'pg';
import { until, within } from '../testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  withClient,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { awaitNobody, release } from '../testing/absent-standby.js';
import { describeChange, makeTestSource, startTestSource, type TestSource } from '../testing/source.js';
import { sees } from './snapshot.js';
import type { PostgresSource } from './postgres-source.js';
import type { PostgresSourceOptions } from './source-options.js';
import type { Transaction } from './transaction.js';

const open: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.stop();
});

type Begun = TestSource & { readonly db: TestDatabase };

async function begin(setup: string, options: Partial<PostgresSourceOptions> = {}): Promise<Begun> {
  const db = await sharedDatabase(setup);
  open.push({ stop: () => db.drop() });
  const made = await startTestSource(db, options);
  open.push(made);
  await settled(made.source); // a transaction that a test holds open must not be one from before the slot
  return { ...made, db };
}

/** A session of its own, ended with the test. */
async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  open.push({ stop: () => client.end().catch(() => undefined) });
  return client;
}

async function oidOf(db: TestDatabase, table: string): Promise<number> {
  const { rows } = await db.sql('SELECT $1::regclass::oid::int AS oid', [table]);
  return (rows[0] as { oid: number }).oid;
}

/** What changed, transaction by transaction; those that only hold messages (our own marks) are left out. */
const ids = (transactions: readonly Transaction[]): unknown =>
  transactions.filter(({ changes }) => changes.length > 0).map(({ changes }) => changes.map(describeChange));

test('C4: a TRUNCATE that the snapshot does not see cannot empty what it reads', async () => {
  const { db, source } = await begin('CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2)');
  const oid = await oidOf(db, 'a');
  let truncated: Promise<unknown> = Promise.resolve();
  const fetch = await source.fetch({ tables: [oid] }, async (run) => {
    // The snapshot is taken. Without the lock the TRUNCATE commits now, and the read below finds nothing.
    truncated = db.sql('TRUNCATE a');
    await untilBlocked(db, truncated);
    return (await run('SELECT id FROM a ORDER BY id')).rows;
  });
  await truncated;
  expect(fetch.result).toEqual([['1'], ['2']]);
  await within('passed', source.passed(fetch.upper));
  fetch.end();
});

/** Until some session waits for a lock in this database, or what should be held up has come to its end. */
async function untilBlocked(db: TestDatabase, heldUp: Promise<unknown>): Promise<void> {
  let over = false;
  const ends = (): void => void (over = true);
  heldUp.then(ends, ends);
  await until(async () => {
    const { rowCount } = await db.sql(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return over || rowCount !== 0;
  });
}

test('C4: a fetch waits for a migration that holds the table, reads it as it is after, and gives up in time', async () => {
  const setup = 'CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)';
  const { db, source } = await begin(setup, { lockTimeoutMs: 60_000 });
  const hasty = await startTestSource(db, { lockTimeoutMs: 400 });
  open.push(hasty);
  await settled(hasty.source);
  const oid = await oidOf(db, 'a');
  const migration = await session(db.adminUrl);
  await migration.query('BEGIN; TRUNCATE a; INSERT INTO a VALUES (7)');
  const read = (by: PostgresSource): Promise<unknown> =>
    by
      .fetch({ tables: [oid] }, (run) => run('SELECT id FROM a'))
      .then((fetch) => {
        fetch.end();
        return fetch.result.rows;
      });
  await expect(within('it gives up', read(hasty.source))).rejects.toMatchObject({
    code: 'lock_timeout',
    retry: true,
  });
  const waiting = read(source);
  await untilBlocked(db, waiting);
  await migration.query('COMMIT');
  expect(await waiting).toEqual([['7']]);
  for (const one of [source, hasty.source])
    expect(one.status()).toMatchObject({ openFetches: 0, runningFetches: 0 });
});

test('C4: a table that was renamed since its name was learned is locked and read under the new one', async () => {
  const { db, source } = await begin(
    'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)',
  );
  const [a, b] = [await oidOf(db, 'a'), await oidOf(db, 'b')];
  const warm = await source.fetch({ tables: [a, b] }, () => Promise.resolve(null));
  warm.end();
  await db.sql('ALTER TABLE a RENAME TO c; ALTER TABLE b RENAME TO a');
  const fetch = await source.fetch({ tables: [a] }, async (run) => {
    const { rows } = await run(
      `SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND relation = ANY ($1::oid[])`,
      [`{${a},${b}}`],
    );
    return rows;
  });
  fetch.end();
  expect(fetch.result).toEqual([['c']]);
  await db.sql('DROP TABLE c');
  await expect(source.fetch({ tables: [a] }, () => Promise.resolve(null))).rejects.toMatchObject({
    code: 'relation_unknown',
  });
});

test('C2: an idle server with the unflushed WAL of an open transaction is passed within milliseconds', async () => {
  const { db, source } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const writer = await session(db.adminUrl);
  await writer.query('BEGIN');
  // The quickest of some: that is how long it takes; the others say how busy the machine is.
  let quickestMs = Infinity;
  for (let turn = 0; turn < 5 && quickestMs >= 1000; turn++) {
    await writer.query('INSERT INTO a SELECT generate_series($1::int, $1::int + 9)', [turn * 10]);
    const fetch = await source.fetch({ tables: [] }, () => Promise.resolve(null));
    const before = performance.now();
    await within('passed', source.passed(fetch.upper));
    quickestMs = Math.min(quickestMs, performance.now() - before);
    fetch.end();
  }
  expect(quickestMs).toBeLessThan(1000);
  await writer.query('ROLLBACK');
});

test('C2: many who wait at once share a mark', async () => {
  const { db, source, listener } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const writer = await session(db.adminUrl);
  await writer.query('BEGIN; INSERT INTO a VALUES (1)');
  const fetch = await source.fetch({ tables: [] }, () => Promise.resolve(null));
  const before = performance.now();
  await within('passed', Promise.all(Array.from({ length: 500 }, () => source.passed(fetch.upper))));
  fetch.end();
  // A mark that has not come through after a quarter of a second is followed by another: on a busy machine.
  const marks = listener.transactions.filter(({ messages }) =>
    messages.some(({ prefix }) => prefix === 'sluice.passed'),
  );
  expect(marks.length).toBeLessThanOrEqual(2 + Math.floor((performance.now() - before) / 250));
  await writer.query('ROLLBACK');
});

/** A server where a commit waits for a synchronous standby that does not exist: streamed, but not visible. */
async function withoutStandby(): Promise<{
  server: TestPostgres;
  db: TestDatabase;
  admin: pg.Client;
  stuck: pg.Client;
}> {
  const server = await startTestPostgres({ settings: { fsync: 'on' } });
  open.push({ stop: () => server.destroy() });
  const db = await createTestDatabase(server, 'CREATE TABLE a (id int PRIMARY KEY)');
  const admin = await session(db.adminUrl);
  await admin.query('SET synchronous_commit = local');
  await awaitNobody(db);
  return { server, db, admin, stuck: await session(db.adminUrl) };
}

test('C2: a mark does not wait for standbys', async () => {
  const { db, admin } = await withoutStandby();
  const made = await startTestSource(db);
  open.push(made);
  const { source } = made;
  await settled(source);
  const writer = await session(db.adminUrl);
  await writer.query('BEGIN; INSERT INTO a SELECT generate_series(1, 10)');
  // The stream brings a commit before its standbys have it, so it is passed; but a mark that waits for them never
  // ends, and the next one waits for that.
  try {
    for (let turn = 0; turn < 3; turn++) {
      await writer.query('INSERT INTO a VALUES ($1)', [100 + turn]);
      const fetch = await source.fetch({ tables: [] }, () => Promise.resolve(null));
      await within('passed', source.passed(fetch.upper));
      fetch.end();
    }
    const { rowCount } = await admin.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
    expect(rowCount).toBe(0);
  } finally {
    await release(db);
  }
  await writer.query('ROLLBACK');
});

/** Until snapshots are exact (the start rule). */
async function settled(source: PostgresSource): Promise<void> {
  const fetch = await within(
    'settled',
    source.fetch({ tables: [] }, () => Promise.resolve(null)),
  );
  fetch.end();
}

test('C5, C7: a commit that streams before it is visible is unseen by a fetch, and kept until a snapshot sees it', async () => {
  const { db, admin, stuck } = await withoutStandby();
  const made = await startTestSource(db);
  open.push(made);
  const { source, listener } = made;
  await settled(source);
  const committed = stuck.query('INSERT INTO a VALUES (1)');
  committed.catch(() => undefined);
  await listener.until(() => listener.commits.length === 1);
  const [early] = listener.commits;
  await admin.query('INSERT INTO a VALUES (2)'); // later in the WAL, visible at once
  await listener.until(() => listener.commits.length === 2);
  const fetch = await source.fetch({ tables: [await oidOf(db, 'a')] }, (run) => run('SELECT id FROM a'));
  // The snapshot lacks the first commit and has the second: no LSN tells them apart, the xid does.
  expect(fetch.result.rows).toEqual([['2']]);
  expect(fetch.upper).toBeGreaterThan(early?.lsn ?? 0n);
  await within('passed', source.passed(fetch.upper));
  expect(ids(fetch.unseen())).toEqual([[{ insert: 'a', new: ['1'] }]]);
  expect(fetch.seen().every(({ xid }) => xid !== early?.xid)).toBe(true);
  fetch.end();
  expect(source.status().retainedTransactions).toBeGreaterThanOrEqual(1);
  await release(db);
  await committed;
  const late = await source.fetch({ tables: [] }, () => Promise.resolve(null));
  expect(late.unseen()).toEqual([]);
  late.end();
  await until(() => source.status().retainedTransactions === 0);
});

test('C7: the slot is never confirmed past a commit that is streamed but invisible', async () => {
  const { db, admin, stuck } = await withoutStandby();
  const made = await startTestSource(db, { slot: { mode: 'permanent', name: 'keep' } });
  open.push(made);
  const { source, listener } = made;
  const committed = stuck.query('INSERT INTO a VALUES (1)');
  committed.catch(() => undefined);
  await listener.until(() => listener.commits.length === 1);
  const [invisible] = listener.commits;
  for (let id = 2; id < 5; id++) await admin.query('INSERT INTO a VALUES ($1)', [id]);
  await listener.until(() => listener.commits.length === 4);
  await confirmations(admin, 3);
  const confirmed = await confirmedLsn(admin);
  expect(confirmed).toBeLessThanOrEqual(invisible?.previous ?? 0n);
  await until(() => source.status().retainedTransactions === 1); // the visible ones after it are forgotten
  await release(db);
  await committed;
  await until(async () => (await confirmedLsn(admin)) >= (listener.transactions.at(-1)?.lsn ?? 0n));
});

/** Waits until the walsender has had so many replies since. */
async function confirmations(admin: pg.Client, count: number): Promise<void> {
  let last = '';
  let seen = -1; // the first is from before
  await until(async () => {
    const { rows } = await admin.query<{ at: string }>(
      'SELECT reply_time::text AS at FROM pg_stat_replication',
    );
    if (rows[0] && rows[0].at !== last) {
      last = rows[0].at;
      seen++;
    }
    return seen >= count;
  });
}

async function confirmedLsn(admin: pg.Client): Promise<bigint> {
  const { rows } = await admin.query<{ lsn: string }>(
    `SELECT (confirmed_flush_lsn - '0/0'::pg_lsn)::text AS lsn FROM pg_replication_slots WHERE slot_name = 'keep'`,
  );
  return BigInt(rows[0]?.lsn ?? 0);
}

test('C7: killed between streaming and visibility, a permanent slot brings the commit again', async () => {
  const { db, admin, stuck } = await withoutStandby();
  const first = await startTestSource(db, { slot: { mode: 'permanent', name: 'keep' } });
  const committed = stuck.query('INSERT INTO a VALUES (1)');
  committed.catch(() => undefined);
  await first.listener.until(() => first.listener.commits.length === 1);
  await admin.query('INSERT INTO a VALUES (2)');
  await first.listener.until(() => first.listener.commits.length === 2);
  await confirmations(admin, 3);
  // What is left of a process after kill -9 is what it confirmed.
  await admin.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active');
  await first.stop();
  const second = makeTestSource(db, { slot: { mode: 'permanent', name: 'keep' } });
  open.push(second);
  await second.source.start(second.listener);
  const { listener, source } = second;
  await listener.until(() => listener.commits.length >= 2);
  expect(ids(listener.transactions)).toContainEqual([{ insert: 'a', new: ['1'] }]);
  await release(db);
  await committed;
  const fetch = await source.fetch({ tables: [await oidOf(db, 'a')] }, (run) =>
    run('SELECT id FROM a ORDER BY 1'),
  );
  await within('passed', source.passed(fetch.upper));
  expect(fetch.result.rows).toEqual([['1'], ['2']]);
  const rows = listener.transactions.filter(({ changes }) => changes.length > 0);
  expect(rows.map(({ xid }) => sees(fetch.snapshot, xid))).toEqual([true, true]);
  fetch.end();
});

test('C7: what no fetch asks for is forgotten too, within a second', async () => {
  const { db, source, listener } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const { fetches } = source.status();
  await db.sql('INSERT INTO a VALUES (1)');
  await listener.until(() => listener.commits.length >= 1);
  await until(() => source.status().retainedTransactions === 0);
  expect(source.status().fetches).toBe(fetches);
});

test('C7: a Postgres that shuts down is not held up by a commit that nobody sees', async () => {
  const { server, db, stuck } = await withoutStandby();
  const made = await startTestSource(db, { slot: { mode: 'permanent', name: 'keep' } });
  open.push(made);
  const { source, listener } = made;
  await settled(source);
  stuck.query('INSERT INTO a VALUES (1)').catch(() => undefined);
  await listener.until(() => listener.commits.length === 1);
  expect(source.status().retainedTransactions).toBe(1);
  // It ends when all that it sent is confirmed, and what is retained never is.
  await within('Postgres stops', server.stop('fast'));
  await server.start();
  const again = listener.commits.length;
  await listener.until(() => source.status().state === 'streaming' || listener.commits.length > again);
});

test('C7, the start rule: a commit before the slot that is not visible yet delays the first fetch and is named', async () => {
  const { db, admin, stuck } = await withoutStandby();
  const { rows } = await stuck.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  // Making a slot takes two rounds, each waiting for the transactions that run at its beginning. A commit within the
  // second round is before the slot; without a standby it stays invisible after.
  const [first, second] = [await session(db.adminUrl), await session(db.adminUrl)];
  const write = 'BEGIN; SET LOCAL synchronous_commit = local; INSERT INTO a VALUES';
  await first.query(`${write} (10)`);
  const made = makeTestSource(db);
  open.push(made);
  const { source, listener } = made;
  const starting = source.start(listener);
  await untilSlotWaitsFor(admin, first);
  await second.query(`${write} (11)`);
  await first.query('COMMIT');
  await untilSlotWaitsFor(admin, second);
  const committed = stuck.query('INSERT INTO a VALUES (1)');
  committed.catch(() => undefined);
  await until(
    async () =>
      (await admin.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)).rowCount === 1,
  );
  await second.query('COMMIT');
  await starting;
  const fetching = source.fetch({ tables: [] }, (run) => run('SELECT id FROM a ORDER BY id'));
  await until(() => source.status().blocking.length > 0);
  await probes(admin, 4); // X is known, and snapshots from after it too
  expect(source.status()).toMatchObject({
    state: 'settling',
    blocking: [{ pid: rows[0]?.pid }],
    openFetches: 0,
    runningFetches: 1,
  });
  await release(db);
  await committed;
  const fetch = await fetching;
  expect(fetch.result.rows).toEqual([['1'], ['10'], ['11']]);
  fetch.end();
  expect(ids(listener.transactions)).not.toContainEqual([{ insert: 'a', new: ['1'] }]);
  expect(source.status()).toMatchObject({ state: 'streaming', blocking: [] });
});

/** Waits until the source has begun to look at snapshots so many times: all but the last have been answered. */
async function probes(admin: pg.Client, count: number): Promise<void> {
  const begun = new Set<string>();
  await until(async () => {
    const { rows } = await admin.query<{ at: string }>(
      `SELECT query_start::text AS at FROM pg_stat_activity WHERE query LIKE 'SELECT pg_current_snapshot(), pg_current_wal_flush_lsn()%'`,
    );
    for (const { at } of rows) begun.add(at);
    return begun.size > count;
  });
}

/** Until the walsender that makes a slot waits for this session's transaction. */
async function untilSlotWaitsFor(admin: pg.Client, writer: pg.Client): Promise<void> {
  const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const waits = `SELECT FROM pg_stat_activity WHERE backend_type = 'walsender' AND $1 = ANY (pg_blocking_pids(pid))`;
  await until(async () => (await admin.query(waits, [rows[0]?.pid])).rowCount === 1);
}

test('C18: with `visible` a commit is told once a snapshot sees it, and nothing after it before', async () => {
  const { db, admin, stuck } = await withoutStandby();
  const made = await startTestSource(db, { visible: true });
  open.push(made);
  const { source, listener } = made;
  await settled(source);
  await admin.query('INSERT INTO a VALUES (1)');
  await listener.until(() => listener.commits.length === 1);
  const committed = stuck.query('INSERT INTO a VALUES (2)');
  committed.catch(() => undefined);
  await until(() => source.status().heldBack > 0);
  const held = source.position;
  await admin.query('INSERT INTO a VALUES (3)');
  const fetch = await source.fetch({ tables: [] }, (run) => run('SELECT id FROM a ORDER BY 1'));
  expect(fetch.result.rows).toEqual([['1'], ['3']]);
  expect(ids(fetch.unseen())).toEqual([]); // what was not told is not to be applied yet either
  expect(listener.commits).toHaveLength(1);
  expect(source.position).toBe(held);
  await release(db);
  await committed;
  await within('passed', source.passed(fetch.upper));
  expect(ids(listener.commits.slice(1))).toEqual([
    [{ insert: 'a', new: ['2'] }],
    [{ insert: 'a', new: ['3'] }],
  ]);
  expect(ids(fetch.unseen())).toEqual([[{ insert: 'a', new: ['2'] }]]);
  fetch.end();
  expect(listener.violations).toEqual([]);
});

test('C7, C18: with `visible` nothing is confirmed that is held back', async () => {
  const { db, admin, stuck } = await withoutStandby();
  const made = await startTestSource(db, { visible: true, slot: { mode: 'permanent', name: 'keep' } });
  open.push(made);
  const { source } = made;
  await settled(source);
  const committed = stuck.query('INSERT INTO a VALUES (2)');
  committed.catch(() => undefined);
  await until(() => source.status().heldBack > 0);
  const { rows } = await admin.query<{ lsn: string }>(
    `SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text AS lsn`,
  );
  await admin.query('INSERT INTO a VALUES (3)');
  await confirmations(admin, 3);
  expect(await confirmedLsn(admin)).toBeLessThan(BigInt(rows[0]?.lsn ?? 0));
  await release(db);
  await committed;
});

test('C21: as the reader a table with row security fails instead of lying; as a client its policies apply', async () => {
  const { db, source } = await begin(
    `CREATE TABLE a (id int PRIMARY KEY, owner text); INSERT INTO a VALUES (1, 'x'), (2, 'y')`,
  );
  await db.sql(`ALTER TABLE a ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON a USING (owner = current_setting('request.jwt.claims')::json->>'sub')`);
  const tables = [await oidOf(db, 'a')];
  await expect(source.fetch({ tables }, (run) => run('SELECT * FROM a'))).rejects.toMatchObject({
    code: 'permission_denied',
  });
  const as = { role: 'sluice_client', claims: { sub: `y`, name: `O'Hara \\ "q"` } };
  const fetch = await source.fetch({ tables, as }, async (run) => [
    (await run('SELECT id FROM a')).rows,
    (await run(`SELECT current_user, current_setting('request.jwt.claims')::json->>'name'`)).rows,
  ]);
  fetch.end();
  expect(fetch.result).toEqual([[['2']], [['sluice_client', `O'Hara \\ "q"`]]]);
  await expect(
    source.fetch({ tables, as: { role: 'none', claims: {} } }, () => Promise.resolve(1)),
  ).rejects.toThrow();
  await expect(
    source.fetch({ tables, as }, (run) => run('RESET ROLE; SELECT * FROM a')),
  ).rejects.toMatchObject({ sqlState: '42601' });
});

test('fetches are bounded: so many at a time, so many waiting, the rest refused; failures free their place', async () => {
  const { source } = await begin('CREATE TABLE a (id int PRIMARY KEY)', {
    fetchConcurrency: 2,
    fetchQueueMax: 3,
  });
  const slow = (): Promise<unknown> =>
    source.fetch({ tables: [] }, (run) => run('SELECT pg_sleep(0.3)')).then((fetch) => fetch.end());
  const running = Array.from({ length: 5 }, slow);
  await expect(slow()).rejects.toMatchObject({ code: 'fetch_queue_full', retry: true });
  expect(source.status()).toMatchObject({ runningFetches: 2, queuedFetches: 3 });
  await Promise.all(running);
  const failing = Array.from({ length: 4 }, () => source.fetch({ tables: [] }, (run) => run('SELECT 1/0')));
  for (const result of await Promise.allSettled(failing)) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { code: 'statement_failed', sqlState: '22012' },
    });
  }
  await expect(
    source.fetch({ tables: [], statementTimeoutMs: 100 }, (run) => run('SELECT pg_sleep(5)')),
  ).rejects.toMatchObject({ code: 'statement_timeout' });
  await expect(source.fetch({ tables: [] }, (run) => run('CREATE TABLE x ()'))).rejects.toMatchObject({
    code: 'database_is_standby',
  });
  expect(source.status()).toMatchObject({ openFetches: 0, runningFetches: 0, queuedFetches: 0 });
});

test('C2, C5: fetches that race writers: what was read, what was not seen and what came after is the table', async () => {
  const { db, source, listener } = await begin('CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL)');
  const oid = await oidOf(db, 'a');
  let stop = false;
  const writers = Array.from({ length: 6 }, async (_, writer) => {
    for (let turn = 0; !stop; turn++) {
      await db.sql('INSERT INTO a VALUES ($1, $2)', [writer * 1_000_000 + turn, turn]);
      if (turn % 3 === 0) await db.sql('DELETE FROM a WHERE id = $1', [writer * 1_000_000 + turn]);
    }
  });
  const copies: { readonly held: Set<string>; readonly told: number }[] = [];
  for (let round = 0; round < 60; round++) {
    const fetch = await source.fetch({ tables: [oid] }, (run) => run('SELECT id FROM a'));
    await within('passed', source.passed(fetch.upper));
    const held = new Set(fetch.result.rows.map(([id]) => id ?? ''));
    for (const transaction of fetch.unseen()) applyTo(held, transaction);
    copies.push({ held, told: listener.transactions.length });
    fetch.end();
  }
  stop = true;
  await Promise.all(writers);
  const last = await source.fetch({ tables: [oid] }, (run) => run('SELECT id FROM a'));
  await source.passed(last.upper);
  const table = last.result.rows.map(([id]) => id).sort();
  last.end();
  for (const { held, told } of copies) {
    for (const transaction of listener.transactions.slice(told)) applyTo(held, transaction);
    expect([...held].sort()).toEqual(table);
  }
});

/** Applies inserts and deletes, each of which must find things as it expects: nothing twice, nothing out of order. */
function applyTo(held: Set<string>, transaction: Transaction): void {
  for (const change of transaction.changes) {
    const id =
      (change.kind === 'insert' ? change.new : change.kind === 'delete' ? change.old : null)?.text(0) ?? '';
    expect(held.has(id), `${change.kind} ${id}`).toBe(change.kind === 'delete');
    if (change.kind === 'insert') held.add(id);
    else held.delete(id);
  }
}

test('at the bound of retained transactions the chain is broken, the fetch is void, and the stream goes on', async () => {
  const { db, source, listener, events } = await begin('CREATE TABLE a (id int PRIMARY KEY)', {
    retainedBytesMax: 3_000,
    retryMs: 10,
  });
  const fetch = await source.fetch({ tables: [] }, () => Promise.resolve(null));
  let id = 0;
  await until(async () => {
    await db.sql('INSERT INTO a VALUES ($1)', [id++]);
    return listener.restarts.length === 2;
  });
  expect(fetch.chain).toBeLessThan(source.chain);
  expect(() => fetch.unseen()).toThrow(expect.objectContaining({ code: 'chain_broken' }));
  fetch.end();
  expect(events).toContainEqual(expect.objectContaining({ kind: 'disconnected', code: 'retained_full' }));
  await settled(source);
  await db.sql('INSERT INTO a VALUES (-1)');
  await listener.until(() => JSON.stringify(ids(listener.transactions)).includes('-1'));
  expect(source.status().retainedBytes).toBeLessThan(3_000);
  expect(listener.violations).toEqual([]);
});

test('a listener that is restarted in mid-fetch: the fetch is void', async () => {
  const { db, source } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const { slot } = source.status();
  const fetching = source.fetch({ tables: [] }, async (run) => {
    const before = source.chain;
    await db.sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
      slot,
    ]);
    await until(() => source.chain !== before);
    return run('SELECT 1');
  });
  await expect(fetching).rejects.toMatchObject({ code: 'chain_broken', retry: true });
});

test('roles: everything above ran as a role that is neither superuser nor owner', async () => {
  const db = await sharedDatabase('CREATE TABLE a (id int PRIMARY KEY)');
  open.push({ stop: () => db.drop() });
  const rows = await withClient(db.url, async (client) => {
    const result = await client.query(
      `SELECT r.rolsuper, r.rolbypassrls, pg_has_role(c.relowner, 'USAGE') AS owner
       FROM pg_roles r, pg_class c WHERE r.rolname = current_user AND c.relname = 'a'`,
    );
    return result.rows as unknown[];
  });
  expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false, owner: false }]);
});
