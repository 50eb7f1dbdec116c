// A view that is handed over while it is open: who holds it is told, over a real socket, and its rows go on.
import { createClient, type Client } from '@sluice/client';
import { createSluice, type Sluice } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { TcpProxy } from '@sluice/server/testing/tcp-proxy';
import { afterEach, expect, test } from 'vitest';
import { eventsOf } from './kit/event-stream.js';

let database: TestDatabase;
let sluice: Sluice;
let client: Client;
let url: string;

const SETUP = `
  CREATE TABLE kind (id int PRIMARY KEY, team int, name text);
  CREATE TABLE item (id int PRIMARY KEY, kind int, title text);
  CREATE INDEX ON item (kind, id);
  INSERT INTO kind VALUES (1, 1, 'large'), (2, 2, 'small');
  INSERT INTO item VALUES (1, 1, 'one'), (2, 2, 'two');`;

type Limits = NonNullable<Parameters<typeof createSluice>[0]>['limits'];

async function start(limits: NonNullable<Limits>, setup = SETUP): Promise<void> {
  database = await sharedDatabase(setup);
  await serve(limits);
}

/** @param reads where reads go, when not straight to the database */
async function serve(limits: NonNullable<Limits>, reads = database.url): Promise<void> {
  sluice = createSluice({
    database: reads,
    replication: database.url,
    allowSql: true,
    port: 0,
    logLevel: 'silent',
    limits,
  });
  url = await sluice.listen();
  ({ client } = createClient({ url, values: 'text' }));
}

afterEach(async () => {
  client.close();
  await sluice.stop();
  await database.drop();
});

const COUNTS = `SELECT k.name, count(*) AS items FROM kind k JOIN item i ON i.kind = k.id
  WHERE k.team = $1 GROUP BY k.name`;
/** The items of a team's kinds, the first five: all are held, five are shown. */
const FIRST = `SELECT i.id, i.title FROM kind k JOIN item i ON i.kind = k.id WHERE k.id = $1 ORDER BY i.id LIMIT 5`;

const HELD_BYTES_MAX = 1 << 20;

type Live = ReturnType<Client['live']>;

/** The gears that the listeners of a view were told of, in order. */
function gearsOf(live: Live): (readonly [gear: string | null, reason: string | null])[] {
  const told: (readonly [string | null, string | null])[] = [];
  live.subscribe(({ gear, reason }) => {
    if (told.at(-1)?.[0] !== gear) told.push([gear, reason]);
  });
  return told;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? NaN,
  );
}

test('who is subscribed is told that the view is run again from now on, and why; who comes later as well', async () => {
  await start({ rowsHeldPerViewMax: 50 });
  const view = client.live({ sql: COUNTS, params: ['1'] });
  const again = client.live({ sql: COUNTS, params: ['1'] });
  const beside = client.live({ sql: COUNTS, params: ['2'] });
  const told = [gearsOf(view), gearsOf(again), gearsOf(beside)];
  await Promise.all([view.ready, again.ready, beside.ready]);
  expect([view.gear, view.reason, beside.gear]).toEqual(['incremental', null, 'incremental']);

  const posted = await fetch(`${url}/subscribe`, {
    method: 'POST',
    body: JSON.stringify({ sql: COUNTS, params: ['1'] }),
  });
  const { subscription_id: id } = (await posted.json()) as { readonly subscription_id: string };
  const events = eventsOf(`${url}/subscriptions/${id}/events?mode=deltas`);
  const gears: unknown[] = [];
  const heard = (async () => {
    for await (const { data } of events) {
      if (data['kind'] === 'subscribed') gears.push(data['gear']);
      if (data['kind'] !== 'gear') continue;
      gears.push(data['gear']);
      return data;
    }
    return null;
  })();
  await expect.poll(() => gears).toEqual(['incremental']);

  await database.sql(`INSERT INTO item SELECT n, 1, 'more' FROM generate_series(10, 109) n`);
  await expect.poll(() => [view.status, view.rows]).toEqual(['current', [{ name: 'large', items: '101' }]]);
  const reason = expect.stringContaining('rowsHeldPerViewMax') as unknown;
  await expect.poll(() => [view.gear, view.reason]).toEqual(['rerun', reason]);
  expect([again.gear, beside.gear]).toEqual(['rerun', 'incremental']);
  expect(await heard).toMatchObject({ optional: true, gear: 'rerun', reason });
  const handedOver = [
    ['incremental', null],
    ['rerun', reason],
  ];
  expect(told).toEqual([handedOver, handedOver, [['incremental', null]]]);

  const { client: other } = createClient({ url, values: 'text' });
  const late = other.live({ sql: COUNTS, params: ['1'] });
  await late.ready;
  expect([late.gear, late.reason]).toEqual(['rerun', reason]);
  await database.sql(`DELETE FROM item WHERE id = 10`);
  await expect
    .poll(() => [view.rows, late.rows])
    .toEqual([view, late].map(() => [{ name: 'large', items: '100' }]));
  other.close();
});

test('a query whose rows take too long to read is run again, where that is quick', async () => {
  const statementTimeoutMs = 2_000;
  database = await sharedDatabase(`${SETUP}
    INSERT INTO item SELECT n, 1, n || repeat('x', 400) FROM generate_series(10, 100009) n;
    ANALYZE;`);
  const { port, username, pathname } = new URL(database.url);
  const proxy = await TcpProxy.start(Number(port));
  await serve({ statementTimeoutMs }, `postgres://${username}@127.0.0.1:${proxy.port}${pathname}`);
  const beside = client.live({ sql: COUNTS, params: ['2'] });
  await beside.ready;
  const before = proxy.bytesToClient;
  const view = client.live({ sql: FIRST, params: ['1'] });
  const told = gearsOf(view);
  // All of its items are more than fits between: while nobody reads, the statement goes on, until it may not.
  await expect.poll(() => proxy.bytesToClient - before, { interval: 1 }).toBeGreaterThan(1_000_000);
  proxy.pause('toClient');
  expect([view.status, view.gear]).toEqual(['loading', 'incremental']);
  const overdue = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'ClientWrite'
    AND clock_timestamp() - query_start > $1 * interval '1 ms'`;
  await expect.poll(async () => (await database.sql(overdue, [statementTimeoutMs])).rowCount).toBe(1);
  proxy.resume();
  await expect.poll(() => [view.status, view.gear]).toEqual(['current', 'rerun']);
  expect(view.reason).toContain('took too long');
  expect(told).toEqual([['rerun', view.reason]]);
  const { rows } = await database.sql(
    `SELECT id::text, title FROM item WHERE kind = 1 ORDER BY item.id LIMIT 5`,
  );
  expect(view.rows).toEqual(rows);
  expect([beside.gear, beside.status]).toEqual(['incremental', 'current']);
  await database.sql(`DELETE FROM item WHERE id = 1`);
  await expect.poll(() => view.rows[0]).toMatchObject({ id: '10' });
  await proxy.close();
});

test('P6: beyond the memory that all may hold, what holds most is run again and the others go on', async () => {
  await start({ heldBytesMax: HELD_BYTES_MAX });
  const large = client.live({ sql: COUNTS, params: ['1'] });
  const small = client.live({ sql: COUNTS, params: ['2'] });
  await Promise.all([large.ready, small.ready]);
  expect([large.gear, small.gear]).toEqual(['incremental', 'incremental']);
  await database.sql(`INSERT INTO item SELECT n, 1, 'more' FROM generate_series(10, 8009) n`);
  await expect.poll(() => [large.gear, large.rows]).toEqual(['rerun', [{ name: 'large', items: '8001' }]]);
  expect(large.reason).toContain('heldBytesMax');
  expect(small.gear).toBe('incremental');
  expect(await metric('sluice_held_bytes')).toBeLessThan(HELD_BYTES_MAX);
  expect([await metric('sluice_held_full_total'), await metric('sluice_views{gear="rerun"}')]).toEqual([
    1, 1,
  ]);
  await database.sql(`DELETE FROM item WHERE id = 10; UPDATE item SET kind = 2 WHERE id = 11`);
  await expect
    .poll(() => [large.rows, small.rows])
    .toEqual([[{ name: 'large', items: '7999' }], [{ name: 'small', items: '2' }]]);
});

test('P6: what cannot be run again is refused for want of memory, and is not read again and again', async () => {
  await start({ heldBytesMax: HELD_BYTES_MAX });
  await database.sql(`INSERT INTO item SELECT n, 1, 'more' FROM generate_series(10, 8009) n`);
  const small = client.live({ sql: COUNTS, params: ['2'] });
  await small.ready;
  const sql = 'SELECT id, title FROM item WHERE kind = $1';
  const large = client.live({ sql, params: ['1'] });
  await expect.poll(() => large.error?.code).toBe('memory_full');
  expect(large.state).toMatchObject({ status: 'error', retrying: true });
  const hydrated = await metric('sluice_hydrated_views_total');
  // Others ask for it, and this one does by itself; nobody is served, and nothing is read.
  const others = Array.from({ length: 3 }, () => createClient({ url, values: 'text' }).client);
  for (const other of others) {
    const same = other.live({ sql, params: ['1'] });
    await expect
      .poll(() => same.error)
      .toMatchObject({
        code: 'memory_full',
        detail: expect.stringMatching(/^not read again for \d+ s$/) as unknown,
      });
    other.close();
  }
  await expect.poll(() => large.error?.detail).toMatch(/not read again/);
  expect(await metric('sluice_hydrated_views_total')).toBe(hydrated);
  expect([small.status, small.gear]).toEqual(['current', 'incremental']);
});

test('a fill that needs more keys of a table than one statement asks for is what Postgres answers', async () => {
  const keys = 25_000;
  await start(
    {},
    `CREATE TABLE kind (id int PRIMARY KEY, name text);
     CREATE TABLE item (id int PRIMARY KEY, team int, kind int);
     CREATE INDEX ON item (team);
     INSERT INTO kind SELECT n, 'kind ' || n FROM generate_series(1, ${keys + 10}) n;
     INSERT INTO item SELECT n, 1, n FROM generate_series(1, ${keys}) n; ANALYZE;`,
  );
  const sql = `SELECT i.id, k.name FROM item i JOIN kind k ON k.id = i.kind WHERE i.team = $1 ORDER BY i.id`;
  const answer = async (): Promise<unknown[]> => {
    const { rows } = await database.sql(sql.replace('$1', '1').replace('i.id, k', 'i.id::text, k'));
    return rows;
  };
  const view = client.live({ sql, params: ['1'] });
  await view.ready;
  expect(view.gear).toBe('incremental');
  const first = await answer();
  expect(first).toHaveLength(keys);
  expect(view.rows).toEqual(first);
  // Of each statement's keys one changes, one goes, and one that was asked for by none comes.
  const places = '(1, 9999, 10000, 10001, 20000, 20001, 25000)';
  await database.sql(`BEGIN; UPDATE kind SET name = 'other ' || id WHERE id IN ${places};
    DELETE FROM kind WHERE id IN (5000, 15000, 24000);
    UPDATE item SET kind = ${keys} + id WHERE id <= 10; COMMIT`);
  const next = await answer();
  expect(next).toHaveLength(keys - 3);
  await expect.poll(() => view.rows.length).toBe(keys - 3);
  expect(view.rows).toEqual(next);
  expect([view.gear, await metric('sluice_views{gear="incremental"}')]).toEqual(['incremental', 1]);
});
