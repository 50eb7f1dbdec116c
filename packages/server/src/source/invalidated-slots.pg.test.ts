// FAILURE-MODES: slots that Postgres itself gives up. Away, the reason is seen before the stream starts. While a slot is
// read, Postgres ends the walsender first, and waits for that with its checkpoint.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { startTestSource, type TestSource } from '../testing/source.js';
import { TcpProxy } from '../testing/tcp-proxy.js';

const major = Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18);

let server: TestPostgres;
let db: TestDatabase;
let proxy: TcpProxy;
let made: TestSource;

beforeAll(async () => {
  server = await startTestPostgres({
    settings: {
      max_slot_wal_keep_size: '1MB',
      min_wal_size: '32MB',
      max_wal_size: '32MB',
      ...(major >= 18 ? { idle_replication_slot_timeout: '1s' } : {}),
    },
  });
});
afterAll(() => server.destroy());

afterEach(async () => {
  await made.stop();
  // The walsender may take a moment to notice that we have gone.
  const idle = 'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active';
  await until(async () => {
    await db.sql(idle);
    return (await db.sql('SELECT FROM pg_replication_slots')).rowCount === 0;
  });
  await proxy.close();
  await db.drop();
});

async function begin(): Promise<void> {
  db = await createTestDatabase(server, 'CREATE TABLE a (id serial PRIMARY KEY, t text)');
  proxy = await TcpProxy.start(server.port);
  made = await startTestSource(db, {
    replication: db.url.replace(`:${server.port}/`, `:${proxy.port}/`),
    slot: { mode: 'permanent', name: 'keeper' },
    probeMs: 50,
    retryMs: 10,
    retryMsMax: 200,
  });
}

interface Slot {
  readonly wal_status: string;
  readonly invalidation_reason?: string;
}

async function untilSlot(is: (slot: Slot) => boolean, between: () => Promise<unknown>): Promise<void> {
  await until(async () => {
    const { rows } = await db.sql('SELECT * FROM pg_replication_slots');
    if (rows[0] !== undefined && is(rows[0] as Slot)) return true;
    await between();
    return false;
  });
}

async function writeMuch(): Promise<void> {
  await db.sql('INSERT INTO a (t) SELECT repeat($1, 1000) FROM generate_series(1, 5000)', ['x']);
  await db.sql('SELECT pg_switch_wal()');
  await db.sql('CHECKPOINT');
}

/** A new chain under a new slot of the same name, which brings what is committed from then on. */
async function goesOn(): Promise<void> {
  const told = (): boolean =>
    made.listener.transactions.some(({ changes }) =>
      changes.some((change) => change.kind === 'insert' && change.new.text(1) === 'after'),
    );
  // What was written to lose the first slot may cost the next one too.
  await until(async () => {
    await db.sql(`INSERT INTO a (t) VALUES ('after')`);
    await db.sql('SELECT pg_sleep(0.1)');
    return told();
  });
  expect(made.listener.restarts.length).toBeGreaterThan(1);
  const slots = 'SELECT slot_name, wal_status, active FROM pg_replication_slots';
  await expect
    .poll(async () => [made.source.status().state, ...(await db.sql(slots)).rows])
    .toEqual([
      'streaming',
      { slot_name: 'keeper', wal_status: expect.stringMatching(/reserved|extended/) as string, active: true },
    ]);
  expect(made.source.status().slotsLost).toBeGreaterThan(0);
  expect(made.listener.violations).toEqual([]);
}

test('max_slot_wal_keep_size, while our connection is stalled: checkpoints do not wait for us, a new chain', async () => {
  await begin();
  proxy.pause('toClient');
  await untilSlot(() => made.listener.restarts.length > 1, writeMuch);
  await goesOn();
});

test.runIf(major >= 18)('idle_replication_slot_timeout, while we are away: a new chain', async () => {
  await begin();
  proxy.refuse(true);
  proxy.cut();
  await untilSlot(
    (slot) => slot.invalidation_reason === 'idle_timeout',
    () => db.sql('CHECKPOINT; SELECT pg_sleep(0.1)'),
  );
  proxy.refuse(false);
  await goesOn();
});
