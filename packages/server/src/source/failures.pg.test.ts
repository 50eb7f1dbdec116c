// FAILURE-MODES, the lines on connections, slots and the WAL. Each test names what fails; after it the listener must
// have had every commit once, or a restart that says that it may not have.
import { execFileSync } from 'node:child_process';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until, within } from '../testing/deadline.js';
import {
  createTestDatabase,
  SERVICE_ROLE,
  startTestPostgres,
  withClient,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { endAll, open } from '../testing/source-session.js';
import { describeChange, makeTestSource, startTestSource, type TestSource } from '../testing/source.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { formatSlot, readSlots, type SlotState } from './slot-state.js';
import type { PostgresSourceOptions } from './source-options.js';

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres({ settings: { max_prepared_transactions: '5', autovacuum: 'off' } });
});
afterAll(() => server.destroy());

afterEach(endAll);

const TABLE = 'CREATE TABLE a (id serial PRIMARY KEY, t text)';
const FAST: Partial<PostgresSourceOptions> = { retryMs: 10, retryMsMax: 200, probeMs: 50 };
const PERMANENT = { slot: { mode: 'permanent', name: 'keeper' } } as const;

interface Begun extends TestSource {
  readonly db: TestDatabase;
  /** Carries the stream only; the pool goes past it. */
  readonly proxy: TcpProxy;
}

async function begin(
  options: Partial<PostgresSourceOptions> = {},
  on: TestPostgres = server,
): Promise<Begun> {
  const db = await createTestDatabase(on, TABLE);
  open.push({ stop: () => dropAll(db) });
  const proxy = await TcpProxy.start(on.port);
  open.push({ stop: () => proxy.close() });
  const replication = db.url.replace(`:${on.port}/`, `:${proxy.port}/`);
  const made = await startTestSource(db, { replication, ...FAST, ...options });
  open.push(made);
  return { ...made, db, proxy };
}

async function dropAll(db: TestDatabase): Promise<void> {
  await until(async () => {
    const { rowCount } = await db.sql(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active`,
    );
    const left = await db.sql(`SELECT FROM pg_replication_slots WHERE database = current_database()`);
    return rowCount === 0 && left.rowCount === 0;
  });
  await db.drop();
}

async function insert(db: TestDatabase, text: string): Promise<void> {
  await db.sql('INSERT INTO a (t) VALUES ($1)', [text]);
}

/** A Postgres that has just started may refuse at first. */
async function untilInserted(db: TestDatabase, text: string): Promise<void> {
  await until(() =>
    insert(db, text).then(
      () => true,
      () => false,
    ),
  );
}

/** The texts inserted, as the listener was told. */
function told({ listener }: Begun): unknown[] {
  return listener.transactions
    .flatMap(({ changes }) => changes)
    .map((change) => (change.kind === 'insert' ? change.new.text(1) : describeChange(change)));
}

async function untilTold(begun: Begun, text: string): Promise<void> {
  await begun.listener.until(() => told(begun).includes(text));
}

/** Kills the walsender by the server, as an administrator or a failover does. */
async function terminate({ db, source }: Begun): Promise<void> {
  await db.sql('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    source.status().slot,
  ]);
}

test('a dropped connection, temporary slot: a new chain in the same epoch, never a lower position', async () => {
  const begun = await begin();
  await insert(begun.db, 'one');
  await untilTold(begun, 'one');
  const chain = begun.source.chain;
  begun.proxy.cut();
  await begun.listener.until(() => begun.listener.restarts.length === 2);
  await insert(begun.db, 'two');
  await untilTold(begun, 'two');
  const [first, second] = begun.listener.restarts;
  expect(second?.epoch).toBe(first?.epoch);
  expect(begun.source.chain).toBe(chain + 1);
  expect(begun.listener.violations).toEqual([]);
  expect(begun.events.map(({ kind }) => kind)).toContain('disconnected');
  await until(() => begun.source.status().state === 'streaming');
  // The process that read the old one may notice later than we do that the connection is gone.
  const slots = 'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()';
  await expect.poll(async () => (await begun.db.sql(slots)).rowCount).toBe(1);
});

test('a dropped connection, permanent slot: the chain goes on, every commit once, none missing, under load', async () => {
  const begun = await begin(PERMANENT);
  const { db, listener, source, proxy } = begun;
  const chain = source.chain;
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => insert(db, `${round}-${index}`)));
    // Not the connection of the round before, which is about to end.
    await until(() => source.status().reconnects >= round && source.status().state === 'streaming');
    if (round % 2 === 0) proxy.cut();
    else await terminate(begun);
    await insert(db, `after-${round}`);
  }
  await until(() => source.status().reconnects >= 5);
  await untilTold(begun, 'after-4');
  const { rows } = await db.sql('SELECT t FROM a');
  expect(told(begun).sort()).toEqual(rows.map((row) => (row as { t: string }).t).sort());
  expect(listener.restarts).toHaveLength(1);
  expect(source.chain).toBe(chain);
  expect(listener.violations).toEqual([]);
});

test('a transaction cut in the middle: nothing of it is told, then all of it once', async () => {
  const begun = await begin(PERMANENT);
  const { db, listener, proxy } = begun;
  await insert(db, 'before');
  await untilTold(begun, 'before');
  const big = db.sql(`INSERT INTO a (t) SELECT repeat('x', 1000) FROM generate_series(1, 20000)`);
  for (let cut = 0; cut < 3; cut++) {
    await until(() => proxy.connections > 0);
    proxy.pause('toClient');
    await big;
    proxy.cut();
  }
  await insert(db, 'after');
  await untilTold(begun, 'after');
  const sizes = listener.transactions.map(({ changes }) => changes.length).filter((size) => size > 0);
  expect(sizes).toEqual([1, 20000, 1]);
  expect(listener.restarts).toHaveLength(1);
});

test('a stalled connection is noticed, cut and made anew', async () => {
  const begun = await begin({ silenceMs: 300 });
  begun.proxy.pause();
  await begun.listener.until(() => begun.listener.restarts.length >= 2);
  // A busy machine may be silent for as long once more, and what is committed before the next slot is there is lost.
  await until(async () => {
    await insert(begun.db, 'one');
    return told(begun).includes('one');
  });
  expect(begun.events).toContainEqual(
    expect.objectContaining({ kind: 'disconnected', code: 'stream_silent' }),
  );
});

test('C2: what the stream has not brought is not passed', async () => {
  const begun = await begin({ silenceMs: 600_000 });
  const { db, source, proxy } = begun;
  (await source.fetch({ tables: [] }, () => Promise.resolve(null))).end();
  proxy.pause('toClient');
  await insert(db, 'one');
  const fetch = await source.fetch({ tables: [] }, (run) => run('SELECT t FROM a'));
  expect(fetch.result.rows).toEqual([['one']]);
  const passed = source.passed(fetch.upper).then(() => told(begun));
  expect(await Promise.race([passed, db.sql('SELECT 1').then(() => 'not yet')])).toBe('not yet');
  proxy.resume();
  expect(await within('passed', passed)).toEqual(['one']);
  fetch.end();
});

test('a permanent slot that vanished while we were away: a new chain', async () => {
  const begun = await begin(PERMANENT);
  await insert(begun.db, 'one');
  await untilTold(begun, 'one');
  begun.proxy.refuse(true);
  begun.proxy.cut();
  await until(async () => {
    const { rowCount } = await begun.db.sql(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'keeper' AND NOT active`,
    );
    return rowCount === 1;
  });
  await insert(begun.db, 'lost');
  begun.proxy.refuse(false);
  await begun.listener.until(() => begun.listener.restarts.length === 2);
  await insert(begun.db, 'two');
  await untilTold(begun, 'two');
  expect(told(begun)).toEqual(['one', 'two']);
  expect(begun.source.status()).toMatchObject({ slotsLost: 1 });
  expect(begun.listener.violations).toEqual([]);
});

test('a permanent slot that another process has moved on: a new chain, for commits were missed', async () => {
  const begun = await begin(PERMANENT);
  begun.proxy.refuse(true);
  begun.proxy.cut();
  const other = makeTestSource(begun.db, { ...FAST, ...PERMANENT });
  await other.source.start(other.listener);
  await insert(begun.db, 'theirs');
  await other.listener.until(() => other.listener.commits.length === 1);
  const { lsn } = other.listener.commits[0] ?? {};
  await until(() => other.source.status().retainedTransactions === 0);
  await other.stop();
  begun.proxy.refuse(false);
  await begun.listener.until(() => begun.listener.restarts.length === 2);
  expect(begun.listener.restarts[1]?.lsn).toBeGreaterThanOrEqual(lsn ?? 0n);
  expect(begun.listener.violations).toEqual([]);
});

test('a slot that Postgres invalidated (max_slot_wal_keep_size): a new one, and both signs are understood', async () => {
  const small = await startTestPostgres({
    settings: { max_slot_wal_keep_size: '1MB', min_wal_size: '32MB', max_wal_size: '32MB' },
  });
  open.push({ stop: () => small.destroy() });
  const begun = await begin({ ...PERMANENT, silenceMs: 60_000 }, small);
  begun.proxy.refuse(true);
  begun.proxy.cut();
  await until(async () => {
    await begun.db.sql('INSERT INTO a (t) SELECT repeat($1, 1000) FROM generate_series(1, 5000)', ['x']);
    await begun.db.sql('SELECT pg_switch_wal()');
    await begun.db.sql('CHECKPOINT');
    const { rows } = await begun.db.sql('SELECT wal_status FROM pg_replication_slots');
    return (rows[0] as { wal_status: string } | undefined)?.wal_status === 'lost';
  });
  begun.proxy.refuse(false);
  await begun.listener.until(() => begun.listener.restarts.length === 2);
  await insert(begun.db, 'after');
  await untilTold(begun, 'after');
  expect(begun.source.status()).toMatchObject({ slotsLost: 1 });
  await until(() => begun.source.status().state === 'streaming');
});

for (const [mode, options] of [
  ['temporary', {}],
  ['permanent', PERMANENT],
] as const) {
  test(`P6: a stalled reader's ${mode} slot is given up at its limit; writes never fail; a new chain follows`, async () => {
    const limit = 8 * 1_048_576;
    const begun = await begin({ ...options, maxRetainedWalBytes: limit, silenceMs: 600_000 });
    const { slot } = begun.source.status();
    begun.proxy.pause('toClient');
    const given = (): boolean => begun.events.some(({ kind }) => kind === 'slot_given_up');
    await until(async () => {
      await begun.db.sql('INSERT INTO a (t) SELECT repeat($1, 1000) FROM generate_series(1, 500)', ['x']);
      return given();
    });
    await begun.listener.until(() => begun.listener.restarts.length === 2);
    await insert(begun.db, 'after');
    await untilTold(begun, 'after');
    const { rows } = await begun.db.sql(
      `SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 AS kept
       FROM pg_replication_slots WHERE database = current_database()`,
    );
    expect(rows).toHaveLength(1);
    expect((rows[0] as { kept: number }).kept).toBeLessThan(limit);
    expect((rows[0] as { slot_name: string }).slot_name === slot).toBe(mode === 'permanent');
    expect(begun.source.status()).toMatchObject({ slotsGivenUp: 1 });
    const warned = begun.events.flatMap((event) => (event.kind === 'retained_wal' ? [event.percent] : []));
    expect(warned.length).toBeGreaterThan(0);
  });
}

test('P6: busy other databases do not pile WAL up behind our idle slot', async () => {
  const begun = await begin(PERMANENT);
  const other = await createTestDatabase(server, TABLE);
  open.push({ stop: () => other.drop() });
  const confirmed = async (): Promise<bigint> => {
    const { rows } = await begun.db.sql(
      `SELECT (confirmed_flush_lsn - '0/0')::text AS lsn FROM pg_replication_slots WHERE slot_name = 'keeper'`,
    );
    return BigInt((rows[0] as { lsn: string }).lsn);
  };
  await other.sql('INSERT INTO a (t) SELECT repeat($1, 1000) FROM generate_series(1, 3000)', ['x']);
  const { rows } = await other.sql(`SELECT (pg_current_wal_lsn() - '0/0')::text AS lsn`);
  const target = BigInt((rows[0] as { lsn: string }).lsn);
  await until(async () => (await confirmed()) >= target);
  expect(begun.listener.commits).toEqual([]);
});

test('one owner, the others wait: the next takes over when it stops, at or before where it was', async () => {
  const first = await begin(PERMANENT);
  const second = makeTestSource(first.db, { ...FAST, ...PERMANENT });
  open.push(second);
  const starting = second.source.start(second.listener);
  await until(() => second.source.status().state === 'waiting');
  await insert(first.db, 'one');
  await untilTold(first, 'one');
  expect(second.events).toContainEqual(expect.objectContaining({ kind: 'waiting', slot: 'keeper' }));
  await first.stop();
  await insert(first.db, 'two');
  await starting;
  await untilTold({ ...second, db: first.db, proxy: first.proxy }, 'two');
  expect(second.listener.restarts).toHaveLength(1);
  expect(second.listener.violations).toEqual([]);
});

test('from Postgres 17 on a permanent slot is copied to standbys; a slot says what it is in one line', async () => {
  const { db, database } = await begin(PERMANENT);
  const { rows } = await db.sql(`SELECT current_setting('server_version_num')::int AS version`);
  const [slot] = await readSlots((sql, params) => database.query(sql, params), 'keeper');
  expect(slot).toMatchObject({
    name: 'keeper',
    plugin: 'pgoutput',
    database: db.name,
    temporary: false,
    active: true,
  });
  expect(slot).toMatchObject({
    invalidated: false,
    failover: (rows[0] as { version: number }).version >= 170_000,
  });
  expect(formatSlot(slot as SlotState)).toMatch(
    /^keeper: permanent, read by process \d+, reserved, keeps [\d.]+ MB of WAL/,
  );
});

test('a source that waits for a slot can be stopped', async () => {
  const first = await begin(PERMANENT);
  const second = makeTestSource(first.db, { ...FAST, ...PERMANENT });
  const starting = second.source.start(second.listener).catch((error: unknown) => error);
  await until(() => second.source.status().state === 'waiting');
  await second.stop();
  expect(await starting).toMatchObject({ retry: true });
});

test('two-phase commits: nothing at PREPARE, everything at COMMIT PREPARED; a prepared one is named', async () => {
  const begun = await begin();
  const { db } = begun;
  await until(() => begun.source.status().state === 'streaming');
  await db.sql(`BEGIN; INSERT INTO a (t) VALUES ('prepared'); PREPARE TRANSACTION 'p1'`);
  await insert(db, 'plain');
  await untilTold(begun, 'plain');
  expect(told(begun)).toEqual(['plain']);
  const blocked = makeTestSource(db, { ...FAST, slotCreationTimeoutMs: 500 });
  await expect(blocked.source.start(blocked.listener)).rejects.toMatchObject({
    code: 'slot_creation_blocked',
    detail: expect.stringContaining('prepared "p1"'),
  });
  await blocked.stop();
  await db.sql(`COMMIT PREPARED 'p1'`);
  await untilTold(begun, 'prepared');
  expect(told(begun)).toEqual(['plain', 'prepared']);
});

test('an open transaction that delays the slot is named, and nothing is left behind', async () => {
  const db = await createTestDatabase(server, TABLE);
  open.push({ stop: () => dropAll(db) });
  const { default: pg } = await import('pg');
  const writer = new pg.Client({ connectionString: db.adminUrl });
  await writer.connect();
  open.push({ stop: () => writer.end() });
  await writer.query(`BEGIN; INSERT INTO a (t) VALUES ('open')`);
  const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const made = makeTestSource(db, { ...FAST, slotCreationTimeoutMs: 400 });
  await expect(made.source.start(made.listener)).rejects.toMatchObject({
    code: 'slot_creation_blocked',
    detail: expect.stringContaining(`process ${rows[0]?.pid}`),
  });
  await made.stop();
  await writer.query('COMMIT');
  await until(async () => {
    const slots = await db.sql('SELECT FROM pg_replication_slots WHERE database = current_database()');
    return slots.rowCount === 0;
  });
});

/** A gigabyte takes half a minute: `SLUICE_TEST_TRANSACTION_MB=1000`. */
const LARGE_MB = Number(process.env['SLUICE_TEST_TRANSACTION_MB'] ?? 200);

/** Postgres ends the stream when it does not hear of us for so long; half of it is enough on a busy machine. */
const HEARD_WITHIN_MS = 3000;

test('a large transaction costs no more memory than its bound, and Postgres hears of us while it comes', async () => {
  const role = (change: string): Promise<unknown> =>
    withClient(server.url(), (client) => client.query(`ALTER ROLE ${SERVICE_ROLE} ${change}`));
  await role(`SET wal_sender_timeout = '${HEARD_WITHIN_MS}ms'`);
  open.push({ stop: () => role('RESET wal_sender_timeout') });
  const begun = await begin({ transactionBytesMax: 4_000_000, silenceMs: 60_000 });
  const before = process.memoryUsage().rss;
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  await begun.db.sql('INSERT INTO a (t) SELECT repeat($1, 2000) FROM generate_series(1, $2::int)', [
    'x',
    LARGE_MB * 500,
  ]);
  await insert(begun.db, 'after');
  await begun.proxy.trickle(2 * HEARD_WITHIN_MS);
  expect(told(begun)).toEqual([]);
  begun.proxy.resume();
  await untilTold(begun, 'after');
  clearInterval(timer);
  const [bulk] = begun.listener.transactions.filter((transaction) => transaction.bulk.size > 0);
  expect(bulk?.changes).toEqual([]);
  expect(begun.source.status().reconnects).toBe(0);
  expect((most - before) / 1_048_576).toBeLessThan(120);
});

test('a Postgres that restarts, and one that is killed: reconnected, a new chain, the same epoch', async () => {
  const own = await startTestPostgres({ settings: { fsync: 'on' } });
  open.push({ stop: () => own.destroy() });
  const begun = await begin({}, own);
  for (const [round, end] of [() => own.stop('fast'), () => own.kill()].entries()) {
    await insert(begun.db, `before-${round}`);
    await untilTold(begun, `before-${round}`);
    await within('Postgres stops', end());
    await until(() => begun.source.status().state !== 'streaming');
    await own.start();
    await begun.listener.until(() => begun.listener.restarts.length === round + 2);
    await insert(begun.db, `after-${round}`);
    await untilTold(begun, `after-${round}`);
  }
  expect(new Set(begun.listener.restarts.map(({ epoch }) => epoch)).size).toBe(1);
  expect(begun.listener.violations).toEqual([]);
});

test('a permanent slot across a kill of Postgres: the chain goes on', async () => {
  const own = await startTestPostgres({ settings: { fsync: 'on' } });
  open.push({ stop: () => own.destroy() });
  const begun = await begin(PERMANENT, own);
  await insert(begun.db, 'before');
  await untilTold(begun, 'before');
  await own.kill();
  await own.start();
  await untilInserted(begun.db, 'after');
  await untilTold(begun, 'after');
  expect(told(begun)).toEqual(['before', 'after']);
  expect(begun.listener.restarts).toHaveLength(1);
});

test('a new timeline (failover, point-in-time recovery): a new epoch, under either slot', async () => {
  for (const options of [{}, PERMANENT]) {
    const own = await startTestPostgres({ settings: { restore_command: '/bin/false' } });
    open.push({ stop: () => own.destroy() });
    const begun = await begin(options, own);
    await insert(begun.db, 'before');
    await untilTold(begun, 'before');
    await own.stop();
    await writeFile(join(own.dataDir, 'recovery.signal'), '');
    await own.start();
    await begun.listener.until(() => begun.listener.restarts.length === 2);
    await untilInserted(begun.db, 'after');
    await untilTold(begun, 'after');
    const [first, second] = begun.listener.restarts;
    expect(first?.epoch).toMatch(/\.1$/);
    expect(second?.epoch).toMatch(/\.2$/);
  }
});

test('a server that went back in time without a new timeline: an epoch of its own, no lower position in the old one', async () => {
  const own = await startTestPostgres();
  open.push({ stop: () => own.destroy() });
  const begun = await begin({}, own);
  await own.stop();
  const copy = `${own.dataDir}-copy`;
  await cp(own.dataDir, copy, { recursive: true, preserveTimestamps: true });
  await own.start();
  await begun.listener.until(() => begun.listener.restarts.length === 2);
  await begun.db.sql('INSERT INTO a (t) SELECT repeat($1, 1000) FROM generate_series(1, 20000)', ['x']);
  await insert(begun.db, 'future');
  await untilTold(begun, 'future');
  await own.stop();
  await rm(own.dataDir, { recursive: true });
  await cp(copy, own.dataDir, { recursive: true, preserveTimestamps: true });
  ownedByPostgres(copy, own.dataDir);
  await own.start();
  await begun.listener.until(() => begun.listener.restarts.length === 3);
  const [, second, third] = begun.listener.restarts;
  expect(third?.lsn).toBeLessThan(begun.listener.transactions.at(-1)?.lsn ?? 0n);
  expect(third?.epoch).not.toBe(second?.epoch);
  expect(third?.epoch.startsWith(second?.epoch ?? '-')).toBe(true);
  await rm(copy, { recursive: true });
});

/** `cp` gives the files to us; Postgres runs as an unprivileged user when we are root. */
function ownedByPostgres(...folders: string[]): void {
  if (process.getuid?.() !== 0) return;
  for (const folder of folders) {
    execFileSync('chown', ['-R', '65534:65534', folder]);
    execFileSync('chmod', ['0700', folder]);
  }
}
