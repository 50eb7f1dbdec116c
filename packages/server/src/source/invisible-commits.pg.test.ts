// Commits that stream before they are visible (a synchronous standby that does not exist makes them): C2, C5, C7, C18.
import { afterEach, expect, test } from 'vitest';
import type pg from 'pg';
import { until, within } from '../testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { awaitNobody, release } from '../testing/absent-standby.js';
import { makeTestSource, startTestSource } from '../testing/source.js';
import { endAll, ids, oidOf, open, session, settled } from '../testing/source-session.js';
import { sees } from './snapshot.js';

afterEach(endAll);

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
