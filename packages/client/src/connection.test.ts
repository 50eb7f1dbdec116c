import { expect, test } from 'vitest';
import { backoffMs, DEFAULT_BACKOFF } from './backoff.js';
import { current, eventually, harness, until, type Issue } from './testing/harness.js';
import { at, ScriptedServer, SEED, subscribed } from './testing/scripted-server.js';

const UNAUTHORIZED = { code: 'unauthorized', message: 'No.', hint: 'Log in.', retry: false } as const;
const isOffline = (client: { status: string }): boolean => client.status === 'offline';

test('the waits double up to the bound, with full jitter', () => {
  const bounds = [0, 1, 2, 3, 10, 1000].map((attempt) => backoffMs(DEFAULT_BACKOFF, attempt, () => 0.999999));
  expect(bounds.map((ms) => Math.round(ms))).toEqual([250, 500, 1000, 2000, 10_000, 10_000]);
  expect(backoffMs(DEFAULT_BACKOFF, 5, () => 0)).toBe(0);
});

test('attempts that fail wait longer each time, a stable connection starts over', async () => {
  const { client, server, clock } = await harness();
  const statuses: string[] = [];
  client.subscribe(() => statuses.push(client.status));
  for (const boundMs of [250, 500, 1000]) {
    const peer = await server.connection();
    peer.terminate();
    await until(client, isOffline);
    expect(client.error?.code).toBe('connection_lost');
    expect(clock.pendingMs).toEqual([boundMs / 2]);
    clock.advance(boundMs / 2);
  }
  const peer = await server.greeted();
  await until(client, () => client.status === 'online');
  expect(client.error).toBeNull();
  clock.advance(DEFAULT_BACKOFF.stableMs);
  peer.terminate();
  await until(client, isOffline);
  expect(clock.pendingMs).toEqual([125]);
  expect(statuses.join(' ')).toBe('offline connecting offline connecting offline connecting online offline');
});

test('a port where nothing listens is tried again', async () => {
  const server = await ScriptedServer.start();
  const { url } = server;
  await server.stop();
  const warned: unknown[] = [];
  const { client, clock } = await harness({
    url: `${url}/?key=secret`,
    onConnectError: ({ code, detail }) => warned.push([code, detail]),
  });
  await until(client, isOffline);
  expect(client.error?.code).toBe('connect_failed');
  clock.advance(125);
  await until(client, (same) => same.status === 'connecting');
  await until(client, isOffline);
  expect(warned).toEqual([['connect_failed', `${url.replace('http', 'ws')}/sluice/ws`]]);
});

test('a server that does not greet is given up on', async () => {
  const { client, server, clock } = await harness({ connectTimeoutMs: 700 });
  const peer = await server.connection();
  await peer.next('hello');
  clock.advance(700);
  await until(client, isOffline);
  expect(client.error?.code).toBe('connect_timeout');
  await peer.closed;
});

test('silence is answered by a ping, and lost after two intervals', async () => {
  const made = await harness();
  const { live, peer } = await current(made, [['1', 'one']], 1000);
  made.clock.advance(999);
  await peer.read();
  expect(peer.inbox).toEqual([]);
  made.clock.advance(1);
  await peer.next('ping');
  peer.send({ kind: 'pong' }, { kind: 'move', position: at('0/11') });
  await eventually(() => expect(made.client.position).toBe(at('0/11')));
  made.clock.advance(1000);
  await peer.next('ping');
  expect(live.status).toBe('current');
  made.clock.advance(1000);
  expect(made.client.error?.code).toBe('connection_silent');
  expect(live.status).toBe('stale');
  await peer.closed;
});

test('what is lost shows as stale, at the position where it stood', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const rows = live.rows;
  peer.terminate();
  await until(live, () => live.status !== 'current');
  expect(live.state).toEqual({ status: 'stale', position: at('0/10'), rows: [{ id: 1, title: 'one' }] });
  expect(live.rows).toBe(rows);
});

test('a hand-over shows nothing of itself', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const statuses: string[] = [];
  live.subscribe(() => statuses.push(live.status));
  peer.send({ kind: 'goaway', afterMs: 400 });
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '1', ['1', 'more'], null]],
  });
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.rows[0]?.title === 'more'); // until then it is as good as ever
  made.clock.advance(399);
  expect(made.client.status).toBe('online');
  made.clock.advance(1);
  expect(made.client.status).toBe('connecting');
  const next = await made.server.greeted();
  const { id, resume } = await next.next('subscribe');
  expect(resume).toMatchObject({ view: 'v', chain: 'c1', at: at('0/20') });
  next.send(subscribed(id, 'v'), { kind: 'move', position: at('0/21'), current: ['v'] });
  await eventually(() => expect(live.position).toBe(at('0/21')));
  expect(statuses).toEqual(['current']); // of the delta
});

test('a hand-over may take a few attempts; after the grace it shows', async () => {
  const made = await harness({ graceMs: 2000 });
  const { live, peer } = await current(made);
  peer.send({ kind: 'goaway', afterMs: 400 });
  peer.close(1001); // earlier than it said
  await until(made.client, isOffline);
  made.clock.advance(400);
  (await made.server.connection()).terminate();
  await until(made.client, isOffline);
  expect(live.status).toBe('current');
  made.clock.advance(125);
  await made.server.connection();
  made.clock.advance(2000 - 400 - 125 - 1);
  expect(live.status).toBe('current');
  made.clock.advance(1);
  expect(live.status).toBe('stale');
});

test('after a hand-over, a view that the first move does not confirm is stale where it stood', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const other = made.client.live<Issue>({ sql: 'w' });
  peer.answer((await peer.next('subscribe')).id, 'w', [], '0/12');
  await other.ready;
  peer.send({ kind: 'goaway', afterMs: 0 });
  await peer.read();
  made.clock.advance(0);
  const next = await made.server.greeted();
  const [first, second] = [await next.next('subscribe'), await next.next('subscribe')];
  next.send(subscribed(first.id, 'v'), subscribed(second.id, 'w'));
  next.send({ kind: 'move', position: at('0/20'), current: ['w'] });
  await until(live, () => live.status !== 'current');
  expect([live.status, live.position]).toEqual(['stale', at('0/12')]);
  expect([other.status, other.position]).toEqual(['current', at('0/20')]);
});

test('an error of the connection that would recur ends the attempts, until authenticate', async () => {
  const made = await harness({ token: 'old' });
  const live = made.client.live<Issue>({ sql: 'v' });
  const reached = made.client.reached('0/1').catch((error: unknown) => error);
  const peer = await made.server.connection();
  peer.send({ kind: 'error', error: UNAUTHORIZED });
  await until(made.client, () => made.client.status === 'failed');
  expect(made.client.error).toMatchObject({ code: 'unauthorized', hint: 'Log in.' });
  expect(live).toMatchObject({ status: 'error', error: { code: 'unauthorized' } });
  await expect(live.ready).rejects.toMatchObject({ code: 'unauthorized' });
  expect(await reached).toMatchObject({ code: 'unauthorized' });
  await expect(made.client.reached('0/1')).rejects.toMatchObject({ code: 'unauthorized' });
  // What is asked only now does not wait for an answer that nobody asks for.
  const later = made.client.live<Issue>({ sql: 'w' });
  expect(later).toMatchObject({ status: 'error', error: { code: 'unauthorized' } });
  await expect(later.ready).rejects.toMatchObject({ code: 'unauthorized' });
  expect(made.clock.pendingMs).toEqual([]);

  await made.client.authenticate('new');
  const next = await made.server.connection();
  expect(await next.next('hello')).toMatchObject({ token: 'new' });
  next.send({ kind: 'hello', version: 1, seed: SEED, pingMs: 1000 });
  next.answer((await next.next('subscribe')).id, 'v', [['1', 'one']], '0/10');
  next.answer((await next.next('subscribe')).id, 'w', [['2', 'two']], '0/11');
  await until(live, () => live.status === 'current');
  await until(later, () => later.status === 'current');
});

test.each([
  [4401, 'failed', 'connection_refused'],
  [4406, 'failed', 'connection_refused'],
  [4408, 'offline', 'connection_lost'],
  [1001, 'offline', 'connection_lost'],
])('a close with %d and no word means %s', async (code, status, error) => {
  const { client, server } = await harness();
  (await server.connection()).close(code);
  await until(client, () => client.status === status);
  expect(client.error).toMatchObject({ code: error, detail: `closed with ${code}` });
});

test('a token function is asked at each attempt; when it fails, again later', async () => {
  const tokens = [() => 'a', () => Promise.reject(new Error('down')), () => Promise.resolve('b')];
  const { client, server, clock } = await harness({ token: () => tokens.shift()?.() });
  const first = await server.connection();
  expect(await first.next('hello')).toMatchObject({ token: 'a' });
  first.terminate();
  await until(client, isOffline);
  clock.advance(125);
  await until(client, () => client.error?.code === 'token_failed' && isOffline(client));
  clock.advance(250);
  expect(await (await server.connection()).next('hello')).toMatchObject({ token: 'b' });
});

test('where tokens come from a function, one that expires is renewed', async () => {
  let count = 0;
  const made = await harness({ token: () => `t${++count}` });
  const { live, peer } = await current(made);
  await made.client.authenticate();
  expect(await peer.next('auth')).toEqual({ kind: 'auth', token: 't2' });
  peer.send({ kind: 'error', error: { ...UNAUTHORIZED, code: 'token_expired' } });
  await until(live, () => live.status === 'stale');
  made.clock.advance(125);
  const next = await made.server.connection();
  expect(await next.next('hello')).toMatchObject({ token: 't3' });
  next.send({ kind: 'error', error: UNAUTHORIZED }); // not even a fresh one
  await until(made.client, () => made.client.status === 'failed');
});

test.each([
  '{',
  '[]',
  '"x"',
  '{"kind":1}',
  '{"kind":"nonsense"}',
  '{"kind":"toString"}',
  '{"kind":"move"}',
  '{"kind":"rows","view":"v","at":"1.1:0/1","rows":[[1,[]]]}',
  '{"kind":"delta","view":"v","from":"","to":"","ops":[["add","k"]]}',
])(
  // prettier-ignore
  'what is no message ends the connection: %s',
  async (text) => {
    const made = await harness();
    const { live, peer } = await current(made);
    peer.sendText(text);
    await until(live, () => live.status === 'stale');
    expect(made.client.error?.code).toBe('protocol_violated');
    await peer.closed;
  },
);

test('optional kinds of later versions are ignored', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.sendText('{"kind":"channel","optional":true,"anything":[1]}');
  await peer.read();
  expect(live.status).toBe('current');
});

test('the network and the screen wake it', async () => {
  const made = await harness();
  const { peer } = await current(made);
  made.wake('offline');
  await peer.next('ping');
  peer.send({ kind: 'pong' });
  await peer.read();
  made.clock.advance(3000);
  expect(made.client.status).toBe('online');
  made.wake('visible');
  await peer.next('ping');
  made.clock.advance(3000);
  expect(made.client.error?.code).toBe('connection_silent');
  made.wake('offline'); // nothing to check, and no reason to try
  expect(made.client.status).toBe('offline');
  made.wake('online');
  expect(made.client.status).toBe('connecting');
  await made.server.connection();
});

test('a connection that does not take what is sent is made anew', async () => {
  const made = await harness({ sendBytesMax: 1000 });
  const { peer } = await current(made);
  peer.pause();
  const fill = (): void => {
    for (let i = 0; i < 200; i++) {
      made.client.reached('x'.repeat(100_000)).catch(() => undefined);
      if (made.client.status !== 'online') return;
    }
  };
  fill();
  await until(made.client, isOffline);
  expect(made.client.error?.code).toBe('send_bytes_exceeded');
});

test('closing ends everything, and nothing can be opened any more', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const reached = expect(made.client.reached('0/99')).rejects.toMatchObject({ code: 'client_closed' });
  made.client.close();
  made.client.close();
  expect(await peer.closed).toBe(1000);
  expect(live).toMatchObject({ status: 'error', error: { code: 'client_closed' } });
  await reached;
  expect(made.client.status).toBe('closed');
  expect(made.clock.pendingMs).toEqual([]);
  expect(() => made.client.live({ sql: 'x' })).toThrow(expect.objectContaining({ code: 'client_closed' }));
  await expect(made.client.reached('0/1')).rejects.toMatchObject({ code: 'client_closed' });
  await expect(made.client.authenticate()).rejects.toMatchObject({ code: 'client_closed' });
});
