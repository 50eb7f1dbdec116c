import type { ServerMessage } from '@sluice/core/wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { Serving } from '../testing/serving.js';

let serving: Serving;

beforeEach(async () => {
  serving = await Serving.start();
});

afterEach(() => serving.stop());

interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** Reads an event stream the way the standard says, comments left out. */
class Events {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = '';
  /** What the stream last said of it, ms. */
  retryMs = 0;

  constructor(response: Response) {
    if (response.body === null) throw new Error('no stream');
    this.#reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** @returns null when the stream has ended. */
  async next(): Promise<ServerEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end < 0) {
        const { done, value } = await this.#reader.read();
        if (done) return null;
        this.#text += Buffer.from(value).toString();
        continue;
      }
      const lines = this.#text.slice(0, end).split('\n');
      this.#text = this.#text.slice(end + 2);
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      this.retryMs = Number(field('retry') ?? this.retryMs);
      if (data !== undefined) return { event: field('event') ?? 'message', id: field('id'), data };
    }
  }

  async message(): Promise<ServerMessage> {
    return JSON.parse((await this.next())?.data ?? 'null') as ServerMessage;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function post(body: unknown): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(`${serving.url}/subscribe`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

async function listen(id: unknown, query = '', headers: Record<string, string> = {}): Promise<Events> {
  const response = await fetch(`${serving.url}/subscriptions/${String(id)}/events${query}`, { headers });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return new Events(response);
}

test('whole results: one query, at each change', async () => {
  const { views } = serving;
  const { status, json } = await post({ sql: 'a', params: [7, true, null, 'x'] });
  expect(status).toBe(200);
  expect(json['views']).toEqual([{ id: 0, view: 'a', shape: views.shape, gear: 'incremental' }]);
  expect(views.take('open')[0]?.spec.params).toEqual(['7', 'true', null, 'x']);
  const events = await listen(json['subscription_id']);
  views.batch(10, { rows: 'a', at: 10, is: [['k', ['one']]] });
  expect(await events.next()).toEqual({
    event: 'rows',
    id: '7.1:0/A',
    data: '{"position":"7.1:0/A","rows":[{"v":"one"}]}',
  });
  views.batch(11, { delta: 'a', from: 10, to: 11, ops: [['put', 'l', ['two']]] });
  expect(await events.next()).toEqual({
    event: 'rows',
    id: '7.1:0/B',
    data: '{"position":"7.1:0/B","rows":[{"v":"one"},{"v":"two"}]}',
  });
});

test('several queries change in one event', async () => {
  const { views } = serving;
  const { json } = await post({ subscriptions: [{ sql: 'a' }, { id: 7, sql: 'b' }] });
  const events = await listen(json['subscription_id']);
  views.batch(10, { rows: 'a', at: 10, is: [] }, { rows: 'b', at: 9, is: [['k', [null]]] });
  const first = await events.next();
  expect(JSON.parse(first?.data ?? '')).toEqual({
    position: '7.1:0/A',
    results: [
      { id: 0, rows: [] },
      { id: 7, rows: [{ v: null }] },
    ],
  });
});

test('deltas: the protocol itself, and back to where the client was', async () => {
  const { views } = serving;
  const { json } = await post({ subscriptions: [{ sql: 'a' }, { sql: 'b' }] });
  const events = await listen(json['subscription_id'], '?mode=deltas');
  expect(await events.message()).toMatchObject({ kind: 'hello', version: 1 });
  expect(await events.message()).toMatchObject({ kind: 'subscribed', id: 0, view: 'a' });
  expect(await events.message()).toMatchObject({ kind: 'subscribed', id: 1, view: 'b' });
  views.batch(10, { rows: 'a', at: 10, is: [] }, { rows: 'b', at: 10, is: [] });
  expect(await events.message()).toMatchObject({ kind: 'rows', view: 'a' });
  expect(await events.message()).toMatchObject({ kind: 'rows', view: 'b' });
  const move = await events.next();
  expect(move).toMatchObject({ event: 'message', id: '7.1:0/A' });
  views.batch(11, { delta: 'a', from: 10, to: 11, ops: [['put', 'k', ['x']]] });
  expect(await events.message()).toMatchObject({ kind: 'delta' });
  await events.message();
  await events.cancel();
  views.batch(12, { delta: 'b', from: 10, to: 12, ops: [['put', 'k', ['y']]] });

  // It was at the first move: the second's delta comes again, and what came since.
  const back = await listen(json['subscription_id'], '?mode=deltas', { 'last-event-id': '7.1:0/A' });
  for (const kind of ['hello', 'subscribed', 'subscribed'])
    expect(await back.message()).toMatchObject({ kind });
  expect(await back.message()).toMatchObject({ kind: 'delta', view: 'a', from: '7.1:0/A', to: '7.1:0/B' });
  expect(await back.message()).toMatchObject({ kind: 'delta', view: 'b', from: '7.1:0/A', to: '7.1:0/C' });
  expect(await back.message()).toEqual({ kind: 'move', position: '7.1:0/C', current: ['a', 'b'] });

  // A position that this server told nobody: whole rows, once it has come that far.
  const ahead = await listen(json['subscription_id'], '?mode=deltas', { 'last-event-id': '7.1:0/F' });
  for (const kind of ['hello', 'subscribed', 'subscribed'])
    expect(await ahead.message()).toMatchObject({ kind });
  views.batch(15);
  for (const view of ['a', 'b']) {
    expect(await ahead.message()).toMatchObject({ kind: 'rows', view, at: '7.1:0/A' });
    expect(await ahead.message()).toMatchObject({ kind: 'delta', view, from: '7.1:0/A' });
  }
  expect(await ahead.message()).toMatchObject({ kind: 'move', position: '7.1:0/F' });
  // The stream that was there before has been told.
  expect(await back.message()).toMatchObject({ kind: 'error', error: { code: 'stream_taken' } });
  expect(await back.next()).toBeNull();
});

test('what is refused', async () => {
  const { views } = serving;
  views.viewOf = null;
  const asked = post({ sql: 'bad' });
  await expect.poll(() => views.posted.length).toBe(1);
  const error = { code: 'syntax', message: 'no', retry: false };
  views.tell({ kind: 'refused', ref: views.take('open')[0]?.ref ?? 0, error });
  expect(await asked).toEqual({ status: 422, json: { error } });
  for (const body of [
    {},
    { sql: 1 },
    { sql: 'a', query: 'b' },
    { subscriptions: [] },
    { sql: 'a', params: [2 ** 60] },
  ]) {
    expect(await post(body)).toMatchObject({ status: 400, json: { error: { code: 'message_malformed' } } });
  }
  const garbage = await fetch(`${serving.url}/subscribe`, { method: 'POST', body: '{' });
  expect(garbage.status).toBe(400);
  const large = await fetch(`${serving.url}/subscribe`, {
    method: 'POST',
    body: 'x'.repeat(1024 * 1024 + 1),
  });
  expect(large.status).toBe(413);
  expect((await fetch(`${serving.url}/subscriptions/none/events`)).status).toBe(404);
  expect((await fetch(`${serving.url}/nothing`)).status).toBe(404);
  expect((await fetch(`${serving.url}/subscribe`)).headers.get('allow')).toBe('POST');
  expect((await fetch(`${serving.url}/mutate`, { method: 'POST' })).status).toBe(501);
  expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
});

test('DELETE ends the stream, and the views go cold', async () => {
  const { json } = await post({ sql: 'a' });
  const events = await listen(json['subscription_id']);
  const url = `${serving.url}/subscriptions/${String(json['subscription_id'])}`;
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(204);
  expect(await events.next()).toBeNull();
  expect((await fetch(`${url}/events`)).status).toBe(404);
  expect(serving.sessions.status()).toMatchObject({ sessions: 0, subscriptions: 0, idleViews: 1 });
});

test('streams have a number, a patience and an end of their rights', async () => {
  await serving.stop();
  const clock = new ManualClock(false);
  serving = await Serving.start({
    clock,
    wallMs: () => clock.nowMs(),
    auth: () => ({ claims: {}, expiresAt: 100 }),
    transport: { limits: { streamsMax: 1 } },
  });
  const first = await post({ sql: 'a' });
  expect(await post({ sql: 'a' })).toMatchObject({
    status: 429,
    json: { error: { code: 'streams_too_many' } },
  });
  clock.pass(60_000); // nobody listened
  expect(
    (await fetch(`${serving.url}/subscriptions/${String(first.json['subscription_id'])}/events`)).status,
  ).toBe(404);
  const second = await post({ sql: 'a' });
  const events = await listen(second.json['subscription_id']);
  clock.pass(40_000);
  expect(await events.next()).toMatchObject({ event: 'failure' });
  expect(await events.next()).toBeNull();
  expect(await post({ sql: 'a' })).toMatchObject({ status: 401, json: { error: { code: 'token_expired' } } });
});

test('the same by fetch', async () => {
  const { views, transport } = serving;
  const at = (path: string, init?: RequestInit): Promise<Response | null> =>
    transport.fetchHandler(new Request(`http://localhost/sluice${path}`, init));
  expect(await transport.fetchHandler(new Request('http://localhost/other'))).toBeNull();
  const created = await at('/subscribe', { method: 'POST', body: '{"sql":"a"}' });
  if (created === null) throw new Error('not ours');
  const { subscription_id: id } = (await created.json()) as { subscription_id: string };
  const response = await at(`/subscriptions/${id}/events`);
  if (response === null) throw new Error('not ours');
  const events = new Events(response);
  views.batch(10, { rows: 'a', at: 10, is: [['k', ['one']]] });
  expect(await events.next()).toMatchObject({ id: '7.1:0/A' });
  await events.cancel();
  expect(serving.sessions.status().sessions).toBe(0);
});

test('a server that goes ends each stream in its turn, with a last event that says so', async () => {
  await serving.stop();
  const clock = new ManualClock(false);
  serving = await Serving.start({ clock });
  const { views } = serving;
  const open = async (query: string): Promise<Events> =>
    listen((await post({ sql: 'a' })).json['subscription_id'], query);
  const [plain, deltas] = [await open(''), await open('?mode=deltas')];
  const waiting = await post({ sql: 'a' });
  views.batch(10, { rows: 'a', at: 10, is: [['k', ['one']]] });
  expect(await plain.next()).toMatchObject({ event: 'rows', id: '7.1:0/A' });
  for (const kind of ['hello', 'subscribed', 'rows', 'move'])
    expect(await deltas.message()).toMatchObject({ kind });

  const closed = serving.transport.close(1_000);
  expect(await plain.next()).toEqual({ event: 'goaway', id: undefined, data: '{"afterMs":0}' });
  expect(plain.retryMs).toBe(1_000);
  expect(await plain.next()).toBeNull();
  expect((await post({ sql: 'a' })).json).toMatchObject({ error: { code: 'server_stopping' } });
  const id = String(waiting.json['subscription_id']);
  const refused = await fetch(`${serving.url}/subscriptions/${id}/events`);
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'server_stopping' } }]);

  // The other one is served until a quarter of the grace has passed.
  clock.pass(249);
  views.batch(11, { delta: 'a', from: 10, to: 11, ops: [['put', 'k', ['two']]] });
  for (const kind of ['delta', 'move']) expect(await deltas.message()).toMatchObject({ kind });
  clock.pass(1);
  expect(await deltas.message()).toEqual({ kind: 'goaway', afterMs: 0 });
  expect(deltas.retryMs).toBe(1_000);
  expect(await deltas.next()).toBeNull();
  clock.pass(100);
  await closed;
  expect(serving.transport.status().streams).toBe(0);
});

test('without grace streams end at once, and their clients are told when to come back', async () => {
  const open = async (): Promise<Events> => listen((await post({ sql: 'a' })).json['subscription_id']);
  const streams = [await open(), await open(), await open(), await open()];
  await serving.transport.close(0, 8_000);
  const last = await Promise.all(streams.map(async (events) => [await events.next(), await events.next()]));
  expect(last.map(([goaway, end]) => [goaway?.event, goaway?.data, end])).toEqual(
    [0, 2_000, 4_000, 6_000].map((afterMs) => ['goaway', `{"afterMs":${afterMs}}`, null]),
  );
  expect(streams.map(({ retryMs }) => retryMs)).toEqual([1_000, 2_000, 4_000, 6_000]);
});

test('a new subscription says by its first GET where the client was', async () => {
  const { views } = serving;
  const { json } = await post({ sql: 'a' });
  views.batch(10, { rows: 'a', at: 10, is: [['k', ['one']]] });
  const events = await listen(json['subscription_id'], `?position=${encodeURIComponent('7.1:0/C')}`);
  views.batch(11, { delta: 'a', from: 10, to: 11, ops: [['put', 'k', ['two']]] });
  views.batch(12);
  expect(await events.next()).toMatchObject({ event: 'rows', id: '7.1:0/C' });
});
