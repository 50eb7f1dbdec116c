// A view that is handed over while it is open: who holds it is told, over a real socket, and its rows go on.
import { createClient, type Client } from '@sluice/client';
import { createSluice, type Sluice } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
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
  sluice = createSluice({ database: database.url, allowSql: true, port: 0, logLevel: 'silent', limits });
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
type Live = ReturnType<Client['live']>;

/** The gears that the listeners of a view were told of, in order. */
function gearsOf(live: Live): (readonly [gear: string | null, reason: string | null])[] {
  const told: (readonly [string | null, string | null])[] = [];
  live.subscribe(({ gear, reason }) => {
    if (told.at(-1)?.[0] !== gear) told.push([gear, reason]);
  });
  return told;
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
