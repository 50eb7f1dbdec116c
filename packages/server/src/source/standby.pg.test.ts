// FAILURE-MODES, the lines on standbys. What clients see of a failover is in test/src/failover.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { sluice } from '../testing/cli.js';
import { until } from '../testing/deadline.js';
import {
  createTestDatabase,
  SERVICE_ROLE,
  startTestPostgres,
  withClient,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { Served } from '../testing/served.js';
import { makeTestSource, startTestSource, type TestSource } from '../testing/source.js';
import { promote, replayed, startStandby } from '../testing/standby.js';
import { TcpProxy } from '../testing/tcp-proxy.js';

let primary: TestPostgres;
let standby: TestPostgres;
let db: TestDatabase;
beforeAll(async () => {
  primary = await startTestPostgres();
  db = await createTestDatabase(primary, 'CREATE TABLE a (id serial PRIMARY KEY, t text)');
  standby = await startStandby(primary, { database: db.name });
});
afterAll(async () => {
  await standby.destroy();
  await primary.destroy();
});
const open: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.stop();
});

test('a standby in place of the primary is refused by start and check, wherever it stands', async () => {
  const there = standby.url(db.name, SERVICE_ROLE);
  for (const [database, replication] of [
    [there, there],
    [there, db.url],
    [db.url, there],
  ] as const) {
    const urls = ['--database-url', database, '--replication-url', replication];
    const made = makeTestSource({ url: database }, { replication });
    open.push(made);
    await expect(made.source.start(made.listener)).rejects.toMatchObject({ code: 'database_is_standby' });
    const checked = await sluice(['check', '--json', ...urls]);
    expect(checked.code).toBe(1);
    const { findings } = JSON.parse(checked.out) as { findings: { code: string; remedy: string }[] };
    expect(findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'database_is_standby',
        remedy: expect.stringContaining('primary') as string,
      }),
    );
  }
  const started = await Served.run(['start', '--database-url', there]);
  expect(await started.ended()).toBe(1);
  expect(started.err).toContain('database_is_standby');
  const { rowCount } = await db.sql(`SELECT FROM pg_replication_slots WHERE slot_type = 'logical'`);
  expect(rowCount).toBe(0);
});

/** The texts inserted, as the listener was told from its last restart on. */
function told({ listener }: TestSource): string[] {
  return listener.transactions
    .slice(listener.restarts.at(-1)?.after ?? 0)
    .flatMap(({ changes }) => changes)
    .map((change) => (change.kind === 'insert' ? (change.new.text(1) ?? '') : change.kind));
}

// Slots are copied to standbys from 17 on.
test.runIf(Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18) >= 17)(
  'a slot that Postgres copied: adopted after the promotion, from its position on every commit once, in a new epoch',
  async () => {
    const proxy = await TcpProxy.start(primary.port);
    open.push({ stop: () => proxy.close() });
    const url = db.url.replace(`:${primary.port}/`, `:${proxy.port}/`);
    const slot = { mode: 'permanent', name: 'keeper' } as const;
    const made = await startTestSource({ url }, { slot, probeMs: 50, retryMs: 10, retryMsMax: 200 });
    open.push(made);
    const { listener } = made;
    const insert = (text: string): Promise<unknown> => db.sql('INSERT INTO a (t) VALUES ($1)', [text]);
    await insert('before');
    await copied('keeper');
    await insert('known');
    await listener.until(() => told(made).includes('known'));
    await replayed(primary, standby);

    proxy.refuse(true);
    proxy.cut();
    await primary.kill();
    await promote(standby);
    proxy.lead(standby.port);
    const after = (text: string): Promise<unknown> =>
      withClient(standby.url(db.name), (client) => client.query('INSERT INTO a (t) VALUES ($1)', [text]));
    await after('unread');
    proxy.refuse(false);
    await listener.until(() => listener.restarts.length === 2);
    await after('last');
    await listener.until(() => told(made).includes('last'));

    const [first, second] = listener.restarts;
    expect([first?.epoch, second?.epoch].map((epoch) => epoch?.split('.')[1])).toEqual(['1', '2']);
    expect(told(made).slice(-3)).toEqual(['known', 'unread', 'last']);
    expect(new Set(told(made)).size).toBe(told(made).length);
    expect(made.events.filter(({ kind }) => kind === 'connected').at(-1)).toMatchObject({ slot: 'keeper' });
    const { result } = await made.source.fetch(
      { tables: [] },
      async (run) => (await run('TABLE a')).rows.length,
    );
    expect(result).toBe(4);
  },
);

/** Copies the slot once. That takes it to move on past what the standby keeps: every 15 s, unless Postgres is asked to. */
async function copied(name: string): Promise<void> {
  const set = async (value: string): Promise<void> => {
    await withClient(standby.url(), async (client) => {
      await client.query(`ALTER SYSTEM SET sync_replication_slots = ${value}`);
      await client.query('SELECT pg_reload_conf()');
    });
  };
  const rows = (sql: string): Promise<number> =>
    withClient(standby.url(), async (client) => (await client.query(sql)).rowCount ?? 0);
  await set('on');
  const whole = `SELECT FROM pg_replication_slots WHERE slot_name = '${name}' AND synced AND NOT temporary`;
  await until(async () => {
    await db.sql('SELECT pg_log_standby_snapshot()');
    return (await rows(whole)) > 0;
  });
  await set('off');
  const worker = `SELECT FROM pg_stat_activity WHERE backend_type = 'slotsync worker'`;
  await until(async () => (await rows(worker)) === 0);
}
