import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Client } from './client.js';
import { createClient } from './create-client.js';
import type { LiveView } from './live-view.js';
import type { ClientOptions } from './options.js';
import { at, ScriptedServer, subscribed, wholeRows } from './testing/scripted-server.js';

interface Issue {
  readonly id: number;
  readonly title: string;
}

interface Api {
  queries: { issuesOf: { args: { project: number }; row: Issue }; everything: { row: Issue } };
}

let server: ScriptedServer;
const clients: Client[] = [];

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
});

function connect(options: Partial<ClientOptions> = {}): ReturnType<typeof createClient<Api>> {
  const made = createClient<Api>({ url: server.url, ...options });
  clients.push(made.client);
  return made;
}

/** Resolves when the view's listener sees what the test waits for. */
function until<R>(live: LiveView<R>, holds: (live: LiveView<R>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (holds(live)) return resolve();
    const stop = live.subscribe(() => {
      if (!holds(live)) return;
      stop();
      resolve();
    });
  });
}

test('a view loads, is current, and changes at moves', async () => {
  const { client, queries } = connect({ token: 'secret' });
  const live = client.live(queries.issuesOf({ project: 7 }));
  expect(live.status).toBe('loading');
  expect(live.rows).toEqual([]);

  const peer = await server.connection();
  expect(await peer.next('hello')).toEqual({ kind: 'hello', versions: [1], token: 'secret' });
  peer.send({ kind: 'hello', version: 1, seed: '00', pingMs: 30_000 });
  const subscribe = await peer.next('subscribe');
  expect(subscribe).toEqual({ kind: 'subscribe', id: 1, query: 'issuesOf', args: { project: 7 } });
  peer.answer(1, 'v', [['1', 'one'], ['2', 'two']], '0/10'); // prettier-ignore
  expect(await live.ready).toBe(live);
  expect(live.status).toBe('current');
  expect(live.rows).toEqual([
    { id: 1, title: 'one' },
    { id: 2, title: 'two' },
  ]);
  expect(live.position).toBe(at('0/10'));
  expect(live.gear).toBe('incremental');
  expect(live.keyOf(live.rows[1] as Issue)).toBe('2');

  const [one] = live.rows;
  const delta = { kind: 'delta', view: 'v', from: at('0/10'), to: at('0/20') } as const;
  peer.send({ ...delta, ops: [['put', '3', ['3', 'three'], '1'], ['del', '2']] }); // prettier-ignore
  await peer.read();
  expect(live.rows).toHaveLength(2); // staged, not shown
  const before = live.state;
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.rows !== before.rows);
  expect(live.rows).toEqual([
    { id: 1, title: 'one' },
    { id: 3, title: 'three' },
  ]);
  expect(live.rows[0]).toBe(one);
  expect(client.position).toBe(at('0/20'));
});

test('an empty result is current, not loading', async () => {
  const { client } = connect();
  const live = client.live({ sql: 'SELECT 1 WHERE $1', params: [false] });
  const peer = await server.greeted();
  expect(await peer.next('subscribe')).toMatchObject({ sql: 'SELECT 1 WHERE $1', params: ['false'] });
  peer.answer(1, 'v', [], '0/10');
  await live.ready;
  expect([live.status, live.rows]).toEqual(['current', []]);
});

test('a listener of one view sees all views at the new position', async () => {
  const { client } = connect();
  const a = client.live<Issue>({ sql: 'a' });
  const b = client.live<Issue>({ sql: 'b' });
  const peer = await server.greeted();
  peer.send(subscribed(1, 'va'), subscribed(2, 'vb'));
  peer.send(wholeRows('va', [['1', '100']], '0/10'), wholeRows('vb', [['1', '0']], '0/10'));
  peer.send({ kind: 'move', position: at('0/10'), current: ['va', 'vb'] });
  await Promise.all([a.ready, b.ready]);
  const sums: number[] = [];
  const sum = (): number => Number(a.rows[0]?.title) + Number(b.rows[0]?.title);
  for (const live of [a, b]) live.subscribe(() => sums.push(sum()));
  for (const [view, left] of [
    ['va', '60'],
    ['vb', '40'],
  ] as const) {
    // prettier-ignore
    peer.send({ kind: 'delta', view, from: at('0/10'), to: at('0/20'), ops: [['put', '1', ['1', left]]] });
  }
  peer.send({ kind: 'move', position: at('0/20') });
  await until(b, () => b.rows[0]?.title === '40');
  expect(sums).toEqual([100, 100]);
});

test('reached resolves with the move that fulfils it, after the rows are there', async () => {
  const { client } = connect();
  const live = client.live<Issue>({ sql: 'a' });
  const peer = await server.greeted();
  peer.answer(1, 'v', [], '0/10');
  await live.ready;
  const reached = client.reached('token-1').then(() => live.rows.length);
  const { id, target } = await peer.next('reach');
  expect(target).toBe('token-1');
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '1', ['1', 'x'], null]],
  });
  peer.send({ kind: 'move', position: at('0/20'), reached: [id] });
  expect(await reached).toBe(1);
});
