// The primary dies, a standby is promoted, and the name that the servers connect to leads there: for all that they
// know, a connection broke. What the primary committed last never reached the standby: clients have seen commits that
// are gone. Three servers, a slot each: a temporary one; a permanent one, copied to the standby at a position that was
// passed since (as providers copy it, now and then); a permanent one that nobody copied.
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, startTestPostgres } from '@sluice/server/testing/postgres';
import { promote, replayed, startStandby } from '@sluice/server/testing/standby';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { Product } from '../kit/product.js';
import { ACCOUNTS, Onlooker, SCHEMA, TRANSFER, truth } from './onlooker.js';
import { Way } from './way.js';

/** Slots are copied to standbys from 17 on; before, all are lost. */
const COPIED = Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18) >= 17;

const SLOTS = 'SELECT slot_name, temporary, synced, failover FROM pg_replication_slots';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
function kept<T>(thing: T, close: (thing: T) => Promise<unknown>): T {
  open.push(() => close(thing));
  return thing;
}

test('failover: clients show what the promoted standby says, by difference, whatever became of the slot', async () => {
  const primary = kept(await startTestPostgres(), (server) => server.destroy());
  const database = await createTestDatabase(primary, SCHEMA);
  const link = kept(await Way.to(primary), (way) => way.close());
  const standby = await startStandby(primary, { port: link.port, database: database.name });
  kept(standby, (server) => server.destroy());
  const name = kept(await Way.to(primary), (way) => way.close());
  const servers = await Promise.all(
    ['temporary', 'copied', 'lost'].map((slot) => serve(slot, name.url(database.url))),
  );
  const before = kept(new pg.Pool({ connectionString: primary.url(database.name) }), (pool) => pool.end());
  before.on('error', () => undefined);
  const after = kept(new pg.Pool({ connectionString: standby.url(database.name) }), (pool) => pool.end());

  await transfer(before, 20);
  await allShow(servers, before);
  if (COPIED) await copySlots(before, after);
  await transfer(before, 20); // reach the standby, and are confirmed on the primary beyond the copied slot
  await allShow(servers, before);
  await replayed(primary, standby);
  link.lead(null);
  await transfer(before, 20); // are seen, and lost
  await allShow(servers, before);
  const lost = await truth(before);

  await primary.kill();
  name.lead(standby);
  for (const { product, log } of servers) {
    await expect.poll(() => readFile(log, 'utf8')).toContain('database_is_standby');
    expect(await product.get('/sluice/readyz')).toMatchObject({
      status: 503,
      body: expect.stringContaining('database_is_standby') as string,
    });
  }
  const bytes = servers.map(({ onlooker }) => onlooker.bytes);
  name.lead(null);
  await promote(standby);
  if (COPIED) {
    await after.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'lost'`,
    );
    expect((await after.query(SLOTS)).rowCount).toBe(1);
  }
  expect(await truth(after)).not.toEqual(lost);
  await transfer(after, 10);
  const writing = transfer(after, 60, 25); // while they find their way back
  name.lead(standby);
  await writing;
  await allShow(servers, after);
  await transfer(after, 20);
  await allShow(servers, after);

  for (const [index, { onlooker, product }] of servers.entries()) {
    expect(onlooker.odd).toEqual([]);
    expect([...onlooker.epochs].map((epoch) => epoch.split('.')[1])).toEqual(['1', '2']);
    expect(onlooker.bytes - (bytes[index] ?? 0)).toBeLessThan(onlooker.wholeBytes / 3);
    expect(await product.get('/sluice/readyz')).toMatchObject({ status: 200 });
    expect(product.crash).toBeNull();
  }
});

interface Served {
  readonly product: Product;
  readonly onlooker: Onlooker;
  readonly log: string;
}

async function serve(slot: string, databaseUrl: string): Promise<Served> {
  const log = join(await mkdtemp(join(tmpdir(), 'sluice-failover-')), 'log');
  const mode = slot === 'temporary' ? [] : ['--slot-mode', 'permanent'];
  const args = [...mode, '--slot-name', slot];
  const product = kept(await Product.start({ databaseUrl, log, args }), (one) => one.stop());
  const onlooker = kept(await Onlooker.open(product.port), async ({ client }) => client.close());
  return { product, onlooker, log };
}

/** As a provider that copies now and then: what is confirmed afterwards, the copy does not know. */
async function copySlots(primary: pg.Pool, standby: pg.Pool): Promise<void> {
  await standby.query('ALTER SYSTEM SET sync_replication_slots = on');
  await standby.query('SELECT pg_reload_conf()');
  await expect
    .poll(
      async () => {
        await primary.query('SELECT pg_log_standby_snapshot()'); // else once in 15 s: slots move on there only
        return (await standby.query(SLOTS)).rows;
      },
      { interval: 200 },
    )
    .toContainEqual({ slot_name: 'copied', temporary: false, synced: true, failover: true });
  await standby.query('ALTER SYSTEM SET sync_replication_slots = off');
  await standby.query('SELECT pg_reload_conf()');
  const worker = `SELECT FROM pg_stat_activity WHERE backend_type = 'slotsync worker'`;
  await expect.poll(async () => (await standby.query(worker)).rowCount).toBe(0);
}

async function transfer(database: pg.Pool, count: number, pauseMs = 0): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (pauseMs > 0) await sleep(pauseMs);
    const from = 1 + ((i * 7) % (ACCOUNTS - 1));
    await database.query(TRANSFER, [from, from + 1, 1 + (i % 9)]);
  }
}

async function allShow(servers: readonly Served[], database: pg.Pool): Promise<void> {
  const wanted = await truth(database);
  for (const { onlooker } of servers) {
    await onlooker.shows(wanted);
  }
}
