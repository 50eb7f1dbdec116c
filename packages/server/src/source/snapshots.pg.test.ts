// Snapshots and the stream in the orders that hurt: C2, C4, C5 and C7, each against a real Postgres that does it.
import { afterEach, expect, test } from 'vitest';
import { until, within } from '../testing/deadline.js';
import { withClient, type TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { startTestSource } from '../testing/source.js';
import { begin, endAll, ids, oidOf, open, session, settled } from '../testing/source-session.js';
import type { PostgresSource } from './postgres-source.js';
import type { Transaction } from './transaction.js';

afterEach(endAll);

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

test('C7: what no fetch asks for is forgotten too, within a second', async () => {
  const { db, source, listener } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const { fetches } = source.status();
  await db.sql('INSERT INTO a VALUES (1)');
  await listener.until(() => listener.commits.length >= 1);
  await until(() => source.status().retainedTransactions === 0);
  expect(source.status().fetches).toBe(fetches);
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

test('C7: where they come fast transactions are forgotten by the thousand, and not once an interval', async () => {
  const { db, source } = await begin('CREATE TABLE a (id int)', { probeMs: 600_000 });
  await settled(source);
  const write = (count: number): Promise<unknown> =>
    db.sql(`DO $$ BEGIN FOR i IN 1..${count} LOOP INSERT INTO a VALUES (i); COMMIT; END LOOP; END $$`);
  const before = source.status().transactions;
  await write(2_500);
  await until(() => source.status().transactions >= before + 2_500);
  // While a snapshot is being taken nobody asks for another one: the next thousand does.
  await until(async () => {
    await write(100);
    return source.status().retainedTransactions < 1_000;
  });
});
