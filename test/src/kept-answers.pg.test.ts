// What re-run views keep to tell differences has a bound in total. Beyond it they are told whole, and are as exact.
import { createClient, type Client } from '@sluice/client';
import { createSluice, type Sluice } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HELD_BYTES_MAX = 1 << 20;
const GROUPS = 24;
/** Of one group: some 60 kB, so that all of them are more than fits. */
const ROWS = 100;

let database: TestDatabase;
let sluice: Sluice;
let url: string;
let clients: Client[];

beforeEach(async () => {
  clients = [];
  database = await sharedDatabase(`
    CREATE TABLE item (id int PRIMARY KEY, "group" int, title text);
    CREATE INDEX ON item ("group");
    INSERT INTO item SELECT n, n % ${GROUPS}, n || repeat('x', 500) FROM generate_series(0, ${GROUPS * ROWS - 1}) n;
    ANALYZE;`);
  sluice = createSluice({
    database: database.url,
    replication: database.url,
    allowSql: true,
    port: 0,
    logLevel: 'silent',
    limits: { heldBytesMax: HELD_BYTES_MAX },
  });
  url = await sluice.listen();
});
afterEach(async () => {
  for (const client of clients) client.close();
  await sluice.stop();
  await database.drop();
});

const RERUN = `SELECT id, title FROM item WHERE title ~ '' AND "group" = $1`;
const FOLLOWED = `SELECT id, title FROM item WHERE id < $1`;

type Live = ReturnType<Client['live']>;

function connect(): Client {
  const { client } = createClient({ url, values: 'text' });
  clients.push(client);
  return client;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? NaN);
}

const byId = (one: unknown, other: unknown): number => idOf(one) - idOf(other);
const idOf = (row: unknown): number => Number((row as { readonly id: string }).id);

async function answers(view: Live, group: number): Promise<void> {
  const { rows } = await database.sql('SELECT id::text, title FROM item WHERE "group" = $1', [group]);
  const wanted = rows.toSorted(byId);
  await expect.poll(() => [view.status, view.rows.toSorted(byId)]).toEqual(['current', wanted]);
}

async function staysWithin(): Promise<void> {
  expect(await metric('sluice_held_bytes')).toBeLessThanOrEqual(HELD_BYTES_MAX);
  expect(await metric('sluice_views{gear="incremental"}')).toBe(1);
}

test('P6: more re-run views than fit are what Postgres answers, through writes, for who was there and who comes', async () => {
  const client = connect();
  const followed = client.live({ sql: FOLLOWED, params: ['5'] });
  await followed.ready;
  const views: Live[] = [];
  for (let group = 0; group < GROUPS; group++) {
    const view = client.live({ sql: RERUN, params: [String(group)] });
    views.push(view);
    await view.ready;
    expect(view.gear).toBe('rerun');
    await staysWithin();
  }
  const unkept = await metric('sluice_views_unkept');
  expect(unkept).toBeGreaterThan(0);
  expect(unkept).toBeLessThan(GROUPS);
  const kept = await metric('sluice_kept_bytes');
  expect(kept).toBeGreaterThan(HELD_BYTES_MAX / 2);
  expect(kept).toBeLessThan(await metric('sluice_held_bytes'));
  for (const write of [
    `UPDATE item SET title = 'changed' WHERE id % 7 = 3`,
    `DELETE FROM item WHERE id % 11 = 5`,
    `UPDATE item SET "group" = ("group" + 1) % ${GROUPS} WHERE id % 5 = 2`,
    `INSERT INTO item SELECT n, n % ${GROUPS}, 'new' FROM generate_series(10000, 10047) n`,
  ]) {
    await database.sql(write);
    for (const [group, view] of views.entries()) await answers(view, group);
    await staysWithin();
  }
  const late = connect();
  for (const group of views.keys()) await answers(late.live({ sql: RERUN, params: [String(group)] }), group);
  await staysWithin();
  expect(followed.gear).toBe('incremental');
});

test('P6: who comes when an answer was let go and nothing changes any more gets it from a run', async () => {
  const client = connect();
  const followed = client.live({ sql: FOLLOWED, params: ['5'] });
  const large = client.live({
    sql: `SELECT id, title FROM item WHERE title ~ '' AND id < $1`,
    params: ['600'],
  });
  await Promise.all([followed.ready, large.ready]);
  // So much of it changes that sessions remember neither its first rows nor all of what followed.
  for (let n = 0; n < 20; n++) {
    await database.sql(
      `UPDATE item SET title = left((SELECT string_agg(md5(id || '.' || $1 || '.' || k), '') FROM generate_series(1, 20) k), 600)
       WHERE id < 600`,
      [n],
    );
    const { rows } = await database.sql('SELECT title FROM item WHERE id = 1');
    const { title } = rows[0] as { readonly title: string };
    await expect.poll(() => large.rows.some((row) => (row as { title: string }).title === title)).toBe(true);
  }
  expect(await metric('sluice_views_unkept')).toBe(0);
  const groups = Array.from({ length: 16 }, (_, group) =>
    client.live({ sql: RERUN, params: [String(group)] }),
  );
  await Promise.all(groups.map(({ ready }) => ready));
  await expect.poll(() => metric('sluice_views_unkept')).toBe(1);
  await staysWithin();
  const runs = await reruns();
  const late = connect().live({
    sql: `SELECT id, title FROM item WHERE title ~ '' AND id < $1`,
    params: ['600'],
  });
  const { rows } = await database.sql('SELECT id::text, title FROM item WHERE id < 600');
  await expect.poll(() => [late.status, late.rows.length]).toEqual(['current', 600]);
  expect(late.rows.toSorted(byId)).toEqual(rows.toSorted(byId));
  expect(await reruns()).toBe(runs + 1);
  expect(large.rows.toSorted(byId)).toEqual(rows.toSorted(byId));
  await expect.poll(() => large.status).toBe('current');
});

/** Views that were run again, over all templates. */
async function reruns(): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('sluice_rerun_views_total{'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
