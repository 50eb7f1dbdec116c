import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from './create-client.js';
import { socketUrl } from './socket.js';
import { current, eventually, harness, until, type Issue } from './testing/harness.js';
import { at, subscribed, wholeRows } from './testing/scripted-server.js';

test('a view loads, is current, and changes at moves', async () => {
  const { client, queries, server } = await harness({ token: 'secret' });
  const live = client.live(queries.issuesOf({ project: 7 }));
  expect(live.status).toBe('loading');
  expect(live.rows).toEqual([]);

  const peer = await server.connection();
  expect(await peer.next('hello')).toEqual({ kind: 'hello', versions: [1], edits: true, token: 'secret' });
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
  const { client, server } = await harness();
  const live = client.live({ sql: 'SELECT 1 WHERE $1', params: [false] });
  const peer = await server.greeted();
  expect(await peer.next('subscribe')).toMatchObject({ sql: 'SELECT 1 WHERE $1', params: ['false'] });
  peer.answer(1, 'v', [], '0/10');
  await live.ready;
  expect([live.status, live.rows]).toEqual(['current', []]);
});

test('a listener of one view sees all views at the new position', async () => {
  const { client, server } = await harness();
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
  const { client, server } = await harness();
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

test('an error of the database is an answer, and passes with the next one', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const divided = { code: 'query_error', message: 'Division by zero.', retry: false } as const;
  peer.send({ kind: 'move', position: at('0/20'), errors: [['v', divided]] });
  await until(live, () => live.status === 'error');
  expect(live).toMatchObject({ error: { code: 'query_error' }, position: at('0/20'), rows: [{ id: 1 }] });
  const again = made.client.live<Issue>({ sql: 'v' });
  await expect(again.ready).rejects.toMatchObject({ code: 'query_error' });
  peer.send({ kind: 'move', position: at('0/30'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect([live.error, live.position]).toEqual([null, at('0/30')]);
});

test('what is refused again as soon as it is there is asked for ever more seldom, until it stays', async () => {
  const made = await harness();
  const live = made.client.live<Issue>({ sql: 'v' });
  const peer = await made.server.greeted(600_000);
  const full = { code: 'memory_full', message: 'Too much.', retry: true } as const;
  const round = async (livedMs: number, waitMs: number): Promise<void> => {
    const { id } = await peer.next('subscribe');
    peer.answer(id, 'v', [['1', 'one']], '0/10');
    await until(live, () => live.status === 'current');
    made.clock.advance(livedMs);
    peer.send({ kind: 'error', id, error: full });
    await until(live, () => live.status === 'error');
    expect(live.state).toMatchObject({ retrying: true, rows: [{ id: 1 }] });
    expect(made.clock.pendingMs).toContain(waitMs);
    made.clock.advance(waitMs);
  };
  for (const waitMs of [125, 250, 500, 1000, 2000, 4000, 5000, 5000]) await round(100, waitMs);
  await round(5000, 125);
  await round(100, 250);
});

test('a refusal that may pass is tried again, one that may not makes way for a new try', async () => {
  const made = await harness();
  const live = made.client.live<Issue>({ sql: 'v' });
  const peer = await made.server.greeted(600_000);
  const refusal = { code: 'busy', message: 'Later.' };
  for (const waitMs of [125, 250]) {
    const { id } = await peer.next('subscribe');
    peer.send({ kind: 'error', id, error: { ...refusal, retry: true } });
    await eventually(() => expect(made.clock.pendingMs).toContain(waitMs));
    expect(live).toMatchObject({ status: 'error', error: { code: 'busy' } });
    made.clock.advance(waitMs);
  }
  const { id } = await peer.next('subscribe');
  peer.answer(id, 'v', [], '0/10');
  await live.ready;
  peer.send({ kind: 'error', id, error: { code: 'gone', message: 'No such table.', retry: false } });
  await until(live, () => live.status === 'error');
  made.clock.advance(60_000);
  await peer.read();
  expect(peer.inbox.filter((message) => message.kind === 'subscribe')).toEqual([]);
  const again = made.client.live<Issue>({ sql: 'v' });
  expect(again.status).toBe('loading');
  peer.answer((await peer.next('subscribe')).id, 'v', [], '0/20');
  await again.ready;
  expect(live.status).toBe('error');
});

test('a listener that throws harms no one', async () => {
  const thrown: unknown[] = [];
  const made = await harness({ onListenerError: (error) => thrown.push(error) });
  const { live, peer } = await current(made);
  const told = vi.fn();
  live.subscribe(() => {
    throw new Error('mine');
  });
  live.subscribe(told);
  peer.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/20'), ops: [['del', '1']] });
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.rows.length === 0);
  expect(told).toHaveBeenCalledTimes(1);
  expect(thrown).toEqual([new Error('mine')]);
});

test('what a listener causes is told in a round of its own', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const other = made.client.live<Issue>({ sql: 'w' });
  peer.answer((await peer.next('subscribe')).id, 'w', [], '0/10');
  await other.ready;
  const order: string[] = [];
  const late = vi.fn();
  const stop = live.subscribe(() => {
    order.push(`v ${live.status}`);
    stop();
    live.subscribe(late); // joins for the next time
    if (live.status === 'current') live.replace({ sql: 'x' });
  });
  other.subscribe(() => order.push(`w ${other.rows.length}, v ${live.status}`));
  for (const view of ['v', 'w']) {
    peer.send({
      kind: 'delta',
      view,
      from: at('0/10'),
      to: at('0/20'),
      ops: [['put', '5', ['5', 'x'], null]],
    });
  }
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.status === 'switching');
  expect(order).toEqual(['v current', 'w 1, v switching']);
  expect(late).toHaveBeenCalledTimes(1); // of the switch
});

test('a listener that never comes to an end does not stop the client', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  let flips = 0;
  live.subscribe(() => {
    if (flips++ < 500) live.replace({ sql: live.status === 'switching' ? 'v' : `v${flips}` });
  });
  live.replace({ sql: 'v0' });
  await eventually(() => expect(flips).toBeGreaterThanOrEqual(500));
  await peer.read();
  expect(made.client.status).toBe('online');
});

test('one value for status and rows, the same until something changes', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const { state } = live;
  peer.send({ kind: 'move', position: at('0/20') });
  await eventually(() => expect(made.client.position).toBe(at('0/20')));
  expect(live.state).toBe(state);
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/21'),
    ops: [['put', '1', ['1', 'one']]],
  });
  peer.send({ kind: 'move', position: at('0/21') }); // says what is known
  await eventually(() => expect(made.client.position).toBe(at('0/21')));
  expect(live.state).toBe(state);
});

test('a value that is not of its type ends its view alone', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '1', ['one', 'x'], null]],
  });
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.status === 'error');
  expect(live.error).toMatchObject({ code: 'value_malformed', detail: undefined });
  await peer.next('unsubscribe');
  expect(made.client.status).toBe('online');
});

test('values: text', async () => {
  const made = await harness({ values: 'text' });
  const { live } = await current(made);
  expect(live.rows).toEqual([{ id: '1', title: 'one' }]);
});

test('a write is refused as long as there are no mutators', async () => {
  const { mutate } = createClient({ url: 'http://127.0.0.1:9' });
  const { local, confirmed } = mutate['close']?.({ id: 1 }) ?? {};
  await expect(local).rejects.toMatchObject({ code: 'mutator_unknown', detail: 'close' });
  await expect(confirmed).rejects.toMatchObject({ code: 'mutator_unknown' });
});

test('references are plain, and awaiting the proxy calls nothing', async () => {
  const { queries } = await harness();
  expect(queries.issuesOf({ project: 1 })).toEqual({ query: 'issuesOf', args: { project: 1 } });
  expect(queries.everything()).toEqual({ query: 'everything' });
  expect(await queries).toBe(queries);
});

test.each([
  ['http://h:1', 'ws://h:1/sluice/ws'],
  ['https://h/', 'wss://h/sluice/ws'],
  ['https://h/live/?tenant=1#x', 'wss://h/live/ws?tenant=1'],
  ['ws://h/a/ws', 'ws://h/a/ws'],
])('the url %s means %s', (given, means) => {
  expect(socketUrl(given)).toBe(means);
});

test.each(['', 'localhost', 'ftp://h', 'http://'])('the url %o is refused where there is no page', (url) => {
  expect(() => createClient({ url })).toThrow(expect.objectContaining({ code: 'url_invalid' }));
});

test.each(['/', '/live', './live', '//h/live'])(
  'the url %o is for a page: elsewhere the client is made, and does not connect',
  async (url) => {
    const { client } = createClient({ url });
    onTestFinished(() => client.close());
    const live = client.live({ sql: 'v' });
    await expect(live.ready).rejects.toMatchObject({ code: 'url_relative' });
    expect([client.status, client.error]).toEqual(['failed', live.error]);
    await client.authenticate();
    await until(client, ({ status }) => status === 'failed');
  },
);

test.each([
  [{ sql: 'x', params: [undefined] }, 'param_invalid', '$1: it is undefined; null is NULL'],
  [{ sql: 'x', params: [1, () => 1] }, 'param_invalid', '$2: it is a function'],
  [{ query: 'x', args: { n: 1n } }, 'args_invalid', 'a bigint: pass it as text'],
  [{ query: 'x', args: { n: Number.NaN } }, 'args_invalid', 'not a JSON number'],
  [{ query: 'x', args: { n: new Map() } }, 'args_invalid', 'no JSON for such an object'],
])('%o is refused where it is called', async (ref, code, detail) => {
  const { client } = await harness();
  expect(() => client.live(ref as never)).toThrow(expect.objectContaining({ code, detail }));
});
