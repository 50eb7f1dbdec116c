import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { ServerMessage } from '@sluice/core/wire';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Identity } from '../auth/identity.js';
import { ManualClock } from '../testing/manual-clock.js';
import { Serving, type ServingOptions, type Wire } from '../testing/serving.js';

const running: Serving[] = [];

async function serve(options: ServingOptions = {}): Promise<Serving> {
  const serving = await Serving.start(options);
  running.push(serving);
  return serving;
}

afterEach(async () => {
  for (const serving of running.splice(0)) await serving.stop();
});

/** What a connection that is refused hears, and how it ends. */
async function refused(wire: Wire): Promise<{ code: number; error: string | undefined }> {
  const { code } = await wire.end();
  const error = wire.received.find((message) => message.kind === 'error');
  return { code, error: error?.kind === 'error' ? error.error.code : undefined };
}

// ---------------------------------------------------------------- garbage

const deep = `${'['.repeat(100)}${']'.repeat(100)}`;
const GARBAGE: readonly (readonly [what: string, frame: string | Buffer, code: number, error: string])[] = [
  ['no JSON', 'hello?', 1007, 'message_invalid'],
  ['half of JSON', '{"kind":"ping"', 1007, 'message_invalid'],
  ['a list', '[]', 1008, 'message_malformed'],
  ['null', 'null', 1008, 'message_malformed'],
  ['no kind', '{}', 1008, 'message_malformed'],
  ['a kind that is none', '{"kind":7}', 1008, 'message_malformed'],
  ['an unknown kind', '{"kind":"dance"}', 1008, 'message_unknown'],
  ['a reserved kind', '{"kind":"mutate"}', 1008, 'message_unknown'],
  ['a second hello', '{"kind":"hello","versions":[1]}', 1008, 'hello_expected'],
  ['no id', '{"kind":"subscribe","sql":"a"}', 1008, 'message_malformed'],
  ['a broken id', '{"kind":"subscribe","id":1.5,"sql":"a"}', 1008, 'message_malformed'],
  ['neither query nor sql', '{"kind":"subscribe","id":1}', 1008, 'message_malformed'],
  ['both query and sql', '{"kind":"subscribe","id":1,"sql":"a","query":"b"}', 1008, 'message_malformed'],
  [
    'params that are numbers',
    '{"kind":"subscribe","id":1,"sql":"a","params":[1]}',
    1008,
    'message_malformed',
  ],
  [
    'args without a bottom',
    `{"kind":"subscribe","id":1,"query":"a","args":${deep}}`,
    1008,
    'message_malformed',
  ],
  [
    'a resume of nonsense',
    '{"kind":"subscribe","id":1,"sql":"a","resume":{"view":"a","at":"0/1","buckets":["x"]}}',
    1008,
    'message_malformed',
  ],
  ['members only inherited', '{"__proto__":{"kind":"ping"}}', 1008, 'message_malformed'],
  ['binary', Buffer.from('{"kind":"ping"}'), 1003, 'message_binary'],
];

test.each(GARBAGE)(
  '%s: the client is told and closed, nobody else notices',
  async (_, frame, code, error) => {
    const serving = await serve();
    const bystander = await serving.connect();
    const wire = await serving.connect();
    wire.socket.send(frame);
    expect(await refused(wire)).toEqual({ code, error });
    bystander.send({ kind: 'ping', id: 1 });
    expect(await bystander.message()).toEqual({ kind: 'pong', id: 1 });
    expect(serving.transport.status().refused.get(error)).toBe(1);
  },
);

test('what may be ignored is ignored: optional kinds, unknown members', async () => {
  const serving = await serve();
  const wire = await serving.connect();
  wire.socket.send('{"kind":"mood","optional":true}');
  wire.socket.send('{"kind":"ping","id":2,"mood":"fine"}');
  expect(await wire.message()).toEqual({ kind: 'pong', id: 2 });
});

test('a frame that is larger than it may be', async () => {
  const serving = await serve({ transport: { limits: { messageBytesMax: 1000 } } });
  const wire = await serving.connect();
  wire.socket.send(JSON.stringify({ kind: 'ping', more: 'x'.repeat(1000) }));
  expect((await wire.end()).code).toBe(1009);
});

test('names mean nothing: args keep __proto__ as data, without a prototype', async () => {
  let args: unknown;
  const resolve = (_: string, given: unknown): Promise<null> => {
    args = given;
    return Promise.resolve(null);
  };
  const serving = await serve({ resolve });
  const wire = await serving.connect();
  wire.socket.send(
    '{"kind":"subscribe","id":1,"query":"q","args":{"__proto__":{"admin":true},"constructor":1}}',
  );
  expect(await wire.message()).toMatchObject({ kind: 'error', id: 1, error: { code: 'query_unknown' } });
  expect(Object.getPrototypeOf(args)).toBeNull();
  expect(Object.keys(args as object)).toEqual(['__proto__', 'constructor']);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

// ---------------------------------------------------------------- greeting

test('the first message is hello; versions are negotiated; silence ends', async () => {
  const clock = new ManualClock(false);
  const serving = await serve();
  const early = await serving.dial();
  early.send({ kind: 'ping' });
  expect(await refused(early)).toEqual({ code: 1008, error: 'hello_expected' });
  const old = await serving.dial();
  old.send({ kind: 'hello', versions: [99, 0] });
  expect(await refused(old)).toEqual({ code: 4406, error: 'version_unsupported' });
  const both = await serving.dial();
  both.send({ kind: 'hello', versions: [99, 1] });
  expect(await both.message()).toMatchObject({ kind: 'hello', version: 1 });
  const quiet = await (await serve({ clock })).dial();
  clock.pass(10_000);
  expect(await refused(quiet)).toEqual({ code: 4408, error: 'hello_timeout' });
});

test('messages before the answer to hello wait their turn', async () => {
  const serving = await serve({ auth: async () => ({ claims: {} }) });
  const wire = await serving.dial();
  wire.send({ kind: 'hello', versions: [1] });
  wire.send({ kind: 'ping', id: 1 });
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  expect((await wire.until((message) => message.kind === 'subscribed')).map(({ kind }) => kind)).toEqual([
    'hello',
    'pong',
    'subscribed',
  ]);
});

test('but only so many', async () => {
  const auth = (): Promise<Identity> => new Promise(() => undefined);
  const serving = await serve({ auth, transport: { limits: { waitingMessagesMax: 3 } } });
  const wire = await serving.dial();
  wire.send({ kind: 'hello', versions: [1] });
  for (let id = 0; id < 4; id++) wire.send({ kind: 'ping', id });
  expect(await refused(wire)).toEqual({ code: 4429, error: 'messages_too_many' });
});

// ---------------------------------------------------------------- limits

test('too many messages, subscriptions, connections', async () => {
  const serving = await serve({
    limits: { subscriptionsMax: 1, reachesMax: 1 },
    transport: { limits: { messagesBurst: 6, messagesPerSecond: 0.001, connectionsPerAddressMax: 2 } },
  });
  const wire = await serving.connect();
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  wire.send({ kind: 'subscribe', id: 2, sql: 'b' });
  expect((await wire.until((message) => message.kind === 'error')).at(-1)).toMatchObject({
    id: 2,
    error: { code: 'subscriptions_too_many' },
  });
  wire.send({ kind: 'reach', id: 1, target: '0/1' });
  wire.send({ kind: 'reach', id: 2, target: '0/1' });
  expect((await wire.until((message) => message.kind === 'error')).at(-1)).toMatchObject({
    reach: 2,
    error: { code: 'reach_too_many' },
  });
  await serving.dial();
  const third = new WebSocket(`ws://127.0.0.1:${serving.port}/sluice/ws`);
  const [, response] = (await once(third, 'unexpected-response')) as [unknown, { statusCode: number }];
  expect(response.statusCode).toBe(429);
  wire.send({ kind: 'ping' });
  wire.send({ kind: 'ping' });
  expect(await refused(wire)).toEqual({ code: 4429, error: 'messages_too_many' });
});

test('a principal has its own limit over all its connections', async () => {
  const auth = ({ token }: { token?: string }): Identity => ({ claims: { sub: token ?? '' } });
  const serving = await serve({ auth, limits: { subscriptionsPerPrincipalMax: 1 } });
  const [one, two, other] = [
    await serving.connect({ token: 'ada' }),
    await serving.connect({ token: 'ada' }),
    await serving.connect({ token: 'bob' }),
  ];
  one.send({ kind: 'subscribe', id: 1, sql: 'a' });
  expect(await one.message()).toMatchObject({ kind: 'subscribed' });
  two.send({ kind: 'subscribe', id: 1, sql: 'a' });
  expect(await two.message()).toMatchObject({ error: { code: 'subscriptions_too_many_for_principal' } });
  other.send({ kind: 'subscribe', id: 1, sql: 'a' });
  expect(await other.message()).toMatchObject({ kind: 'subscribed' });
  one.send({ kind: 'unsubscribe', id: 1 });
  one.send({ kind: 'ping' });
  await one.message();
  two.send({ kind: 'subscribe', id: 2, sql: 'a' });
  expect(await two.message()).toMatchObject({ kind: 'subscribed' });
});

test('whoever becomes another principal is under the limit of that one', async () => {
  const auth = ({ token }: { token?: string }): Identity => ({ claims: { sub: token ?? '' } });
  const serving = await serve({ auth, limits: { subscriptionsPerPrincipalMax: 1 } });
  const [one, two] = [await serving.connect({ token: 'ada' }), await serving.connect({ token: 'bob' })];
  for (const wire of [one, two]) {
    wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
    expect(await wire.message()).toMatchObject({ kind: 'subscribed' });
  }
  two.send({ kind: 'auth', token: 'ada' });
  expect(await two.message()).toMatchObject({
    id: 1,
    error: { code: 'subscriptions_too_many_for_principal' },
  });
  const three = await serving.connect({ token: 'ada' });
  three.send({ kind: 'subscribe', id: 1, sql: 'a' });
  expect(await three.message()).toMatchObject({ error: { code: 'subscriptions_too_many_for_principal' } });
});

test('pages of other origins do not connect unless they may', async () => {
  const told: unknown[] = [];
  const onRefused = ({ code, detail }: { code: string; detail: string | undefined }): void =>
    void told.push(`${code}: ${detail}`);
  const serving = await serve({ transport: { allowedOrigins: ['https://app.example'], onRefused } });
  for (const origin of [`http://127.0.0.1:${serving.port}`, 'http://127.0.0.1:5173', 'https://app.example']) {
    await serving.dial({ origin });
  }
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example']) {
    const socket = new WebSocket(`ws://127.0.0.1:${serving.port}/sluice/ws`, { origin });
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(403);
    const posted = await fetch(`${serving.url}/subscribe`, {
      method: 'POST',
      body: '{"sql":"a"}',
      headers: { origin },
    });
    expect(posted.status).toBe(403);
  }
  expect(told.slice(0, 2)).toEqual(
    Array<string>(2).fill(
      `origin_not_allowed: a page of https://evil.example, asking 127.0.0.1:${serving.port}`,
    ),
  );
});

// ---------------------------------------------------------------- rights

test('no token, no entry; a hook that fails or hangs is not an entry either', async () => {
  const auth = ({ token }: { token?: string }): Identity | null | Promise<Identity> => {
    if (token === 'broken') throw new Error(`secret ${token}`);
    if (token === 'slow') return new Promise(() => undefined);
    if (token === 'nothing') return undefined as unknown as null;
    return token === 'good' ? { role: 'app', claims: { sub: '7' } } : null;
  };
  const serving = await serve({ auth });
  const told = async (token: string): Promise<unknown> => {
    const wire = await serving.dial();
    wire.send({ kind: 'hello', versions: [1], token });
    return refused(wire);
  };
  expect(await told('nothing')).toEqual({ code: 4401, error: 'auth_answer_invalid' });
  expect(await told('bad')).toEqual({ code: 4401, error: 'unauthorized' });
  expect(await told('broken')).toEqual({ code: 1011, error: 'auth_failed' });
  expect(await told('slow')).toEqual({ code: 1011, error: 'auth_failed' });
  const wire = await serving.connect({ token: 'good' });
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  await wire.message();
  expect(serving.views.take('open')[0]?.spec.principal).toEqual({ role: 'app', claims: { sub: '7' } });
  expect((await fetch(`${serving.url}/subscribe`, { method: 'POST', body: '{"sql":"a"}' })).status).toBe(401);
  const authorization = 'Bearer good';
  const posted = await fetch(`${serving.url}/subscribe`, {
    method: 'POST',
    body: '{"sql":"a"}',
    headers: { authorization },
  });
  expect(posted.status).toBe(200);
});

test('rights end with the token, at that second; a renewal in time goes on', async () => {
  const clock = new ManualClock(false);
  const auth = ({ token }: { token?: string }): Identity => ({
    claims: { sub: 'x' },
    expiresAt: Number(token),
  });
  const serving = await serve({ auth, clock, wallMs: () => clock.nowMs() });
  const wire = await serving.connect({ token: '10' });
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  await expect.poll(() => serving.views.posted.length).toBe(1);
  clock.pass(9_999);
  wire.send({ kind: 'auth', token: '20' });
  wire.send({ kind: 'ping' });
  await wire.until((message) => message.kind === 'pong');
  clock.pass(10_000);
  expect(wire.closed).toBeNull();
  clock.pass(1);
  expect(await refused(wire)).toEqual({ code: 4401, error: 'token_expired' });
  expect(serving.sessions.status()).toMatchObject({ sessions: 0, subscriptions: 0 });
});

test('other claims: every subscription is bound anew, and what does not depend on them goes on', async () => {
  const auth = ({ token }: { token?: string }): Identity => ({ claims: { sub: token ?? '' } });
  const serving = await serve({ auth });
  const { views } = serving;
  views.viewOf = ({ sql, principal }) => (sql === 'own' ? `own of ${String(principal.claims['sub'])}` : sql);
  const wire = await serving.connect({ token: 'ada' });
  wire.send({ kind: 'subscribe', id: 1, sql: 'own' });
  wire.send({ kind: 'subscribe', id: 2, sql: 'all' });
  await wire.until((message) => message.kind === 'subscribed' && message.id === 2);
  views.batch(10, { rows: 'own of ada', at: 10, is: [['k', ['hers']]] }, { rows: 'all', at: 10, is: [] });
  await wire.move();
  wire.send({ kind: 'auth', token: 'bob' });
  expect(await wire.message()).toMatchObject({ kind: 'subscribed', id: 1, view: 'own of bob' });
  expect(await wire.message()).toMatchObject({ kind: 'subscribed', id: 2, view: 'all' });
  expect(await wire.message()).toEqual({ kind: 'move', position: '7.1:0/A', current: ['all'] });
  views.batch(
    11,
    { delta: 'own of ada', from: 10, to: 11, ops: [['put', 'k', ['her secret']]] },
    { rows: 'own of bob', at: 11, is: [['k', ['his']]] },
  );
  expect(await wire.move()).toEqual([
    { kind: 'rows', view: 'own of bob', at: '7.1:0/B', rows: [['k', ['his']]] },
    { kind: 'move', position: '7.1:0/B', current: ['own of bob'] },
  ]);
});

// ---------------------------------------------------------------- slow, silent, going

test('one client that does not read slows no other, and gets it folded when it does', async () => {
  const serving = await serve({ limits: { bufferHighBytes: 64 * 1024, logBytesMax: 1e9 } });
  const { views } = serving;
  const [slow, quick] = [await serving.connect(), await serving.connect()];
  for (const wire of [slow, quick]) {
    wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
    await wire.message();
  }
  views.batch(1, { rows: 'a', at: 1, is: [] });
  await Promise.all([slow.move(), quick.move()]);
  slow.socket.pause();
  const padding = 'x'.repeat(16 * 1024);
  const last = 600; // some 10 MB: more than the sockets' own buffers take
  for (let at = 2; at <= last; at++) {
    const ops = [['put', `k${at % 7}`, [`${at} ${padding}`]]] as const;
    views.batch(at, { delta: 'a', from: at - 1, to: at, ops });
    await quick.move();
  }
  slow.socket.resume();
  const position = views.position(last);
  const got = await slow.until((message) => message.kind === 'move' && message.position === position);
  expect(got.filter(({ kind }) => kind === 'move').length).toBeLessThan(last - 1);
  const { counters } = serving.sessions.status();
  expect(counters.closedSlow).toBe(0);
  expect(counters.folded).toBeGreaterThan(0);
  // It holds what everybody holds.
  const rows = new Map<string, string>();
  for (const message of got) {
    if (message.kind !== 'delta') continue;
    for (const op of message.ops) if (op[0] === 'put') rows.set(op[1], op[2][0]?.split(' ')[0] ?? '');
  }
  const expected = Array.from({ length: 7 }, (_, i) => last - i);
  expect([...rows.values()].map(Number).toSorted((a, b) => b - a)).toEqual(expected);
});

test('one that never reads again is closed, and may resume', async () => {
  const serving = await serve({ limits: { bufferHighBytes: 64 * 1024, stallMs: 200 } });
  const { views } = serving;
  const wire = await serving.connect();
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  await wire.message();
  views.batch(1, { rows: 'a', at: 1, is: [] });
  await wire.move();
  wire.socket.pause();
  for (let at = 2; serving.sessions.status().counters.closedSlow === 0; at++) {
    views.batch(at, { delta: 'a', from: at - 1, to: at, ops: [['put', 'k', ['x'.repeat(256 * 1024)]]] });
    await new Promise((resolve) => setImmediate(resolve));
  }
  wire.socket.resume();
  expect((await wire.end()).code).toBe(4409);
  expect(serving.sessions.status().sessions).toBe(0);
});

test('a peer that does not answer pings is ended', async () => {
  const clock = new ManualClock(false);
  const serving = await serve({ clock });
  const silent = connectTcp(serving.port, '127.0.0.1');
  await upgradeByHand(silent);
  expect(serving.transport.status().sockets).toBe(1);
  const closed = once(silent, 'close');
  clock.pass(9_000); // not long enough for the hello to be missed
  silent.write(maskedText('{"kind":"hello","versions":[1]}'));
  await expect.poll(() => serving.sessions.status().sessions).toBe(1);
  clock.pass(15_000);
  clock.pass(15_000);
  await closed;
  expect(serving.transport.status().sockets).toBe(0);
});

async function upgradeByHand(socket: Socket): Promise<void> {
  socket.write(
    'GET /sluice/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toContain('101 Switching Protocols');
  socket.on('data', () => undefined);
}

/** A frame of a client (RFC 6455, 5.2) with a mask of zeroes. */
function maskedText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

test('a connection that only listens hears something', async () => {
  const clock = new ManualClock(false);
  const serving = await serve({ clock });
  const wire = await serving.connect();
  clock.pass(15_000);
  await once(wire.socket, 'ping');
  wire.socket.send('{"kind":"alive","optional":true}');
  await expect.poll(() => serving.transport.status().received).toBe(2);
  clock.pass(15_000);
  expect(await wire.message()).toEqual({ kind: 'pong' });
});

test('a server that goes says so, serves on, and closes what is left', async () => {
  const serving = await serve();
  const { views } = serving;
  const [stays, leaves] = [await serving.connect(), await serving.connect()];
  stays.send({ kind: 'subscribe', id: 1, sql: 'a' });
  await stays.message();
  const closing = serving.transport.close(1000);
  const goaway = (await stays.message()) as Extract<ServerMessage, { kind: 'goaway' }>;
  expect(goaway.kind).toBe('goaway');
  expect(goaway.afterMs).toBeLessThanOrEqual(500);
  leaves.socket.close();
  views.batch(5, { rows: 'a', at: 5, is: [] });
  await stays.move();
  const late = new WebSocket(`ws://127.0.0.1:${serving.port}/sluice/ws`);
  const [, response] = (await once(late, 'unexpected-response')) as [unknown, { statusCode: number }];
  expect(response.statusCode).toBe(503);
  await closing;
  expect((await stays.end()).code).toBe(1001);
});

// ---------------------------------------------------------------- ten lines

test('a WebSocket that sends nothing but a query receives rows', async () => {
  const serving = await serve();
  const { views } = serving;
  views.shape = {
    columns: [
      { name: 'id', type: 'integer', decoder: 'integer' },
      { name: 'big', type: 'bigint', decoder: 'bigint' },
      { name: 'tags', type: 'boolean[]', decoder: 'array:boolean' },
      { name: 'doc', type: 'jsonb', decoder: 'json' },
      { name: 'f', type: 'real', decoder: 'float' },
      { name: '__proto__', type: 'text', decoder: 'text' },
      { name: 'id', type: 'text', decoder: 'text' },
    ],
    ordered: true,
  };
  const wire = await serving.dial();
  wire.socket.send('{"sql":"a","params":[1]}');
  await expect.poll(() => views.posted.length).toBe(1);
  const row = ['1', '9007199254740993', '{t,NULL,f}', '{"n": 1.000000000000000000001}', 'NaN', 'p', 'q'];
  const heard: string[] = [];
  wire.socket.on('message', (data) => heard.push(String(data)));
  views.batch(10, { rows: 'a', at: 10, is: [['k', row]] });
  await expect
    .poll(() => heard)
    .toEqual([
      '{"position":"7.1:0/A","rows":[{"id":1,"big":"9007199254740993","tags":[true,null,false],' +
        '"doc":{"n": 1.000000000000000000001},"f":"NaN","__proto__":"p","id_2":"q"}]}',
    ]);
  const error = { code: 'division_by_zero', message: 'no', retry: true };
  views.batch(11, { error: 'a', from: 11, is: error });
  views.batch(12);
  await expect.poll(() => heard.at(-1)).toBe(JSON.stringify({ error }));
  views.batch(13, { again: 'a', from: 13 });
  await expect.poll(() => heard.length).toBe(3);
  wire.socket.send('{"kind":"ping"}');
  expect(await refused(wire)).toMatchObject({ code: 1008 });
});
