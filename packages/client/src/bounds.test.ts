import { expect, test } from 'vitest';
import { current, harness, until, type Issue } from './testing/harness.js';
import { at, wholeRows } from './testing/scripted-server.js';

const code = (name: string): unknown => expect.objectContaining({ code: name });

test('subscriptionsMax; what is only kept makes room', async () => {
  const made = await harness({ subscriptionsMax: 2 });
  const { live, peer } = await current(made);
  const second = made.client.live({ sql: '2' });
  expect(() => made.client.live({ sql: '3' })).toThrow(code('too_many_subscriptions'));
  made.client.live({ sql: '2' }).close(); // shared, and still held
  expect(() => made.client.live({ sql: '3' })).toThrow(code('too_many_subscriptions'));
  second.close();
  live.close();
  made.client.live({ sql: '3' });
  expect(await peer.next('unsubscribe')).toEqual({ kind: 'unsubscribe', id: 2 }); // the longest kept
  expect(made.client.live({ sql: 'v' }).status).toBe('current');
  expect(() => made.client.live({ sql: '4' })).toThrow(code('too_many_subscriptions'));
});

test('listenersMax', async () => {
  const { client } = await harness({ listenersMax: 2 });
  for (const subject of [client, client.live({ sql: '1' })]) {
    const stop = subject.subscribe(() => undefined);
    subject.subscribe(() => undefined);
    expect(() => subject.subscribe(() => undefined)).toThrow(code('too_many_listeners'));
    stop();
    subject.subscribe(() => undefined);
  }
});

test('reachesMax, timeoutMs and signal', async () => {
  const { client, clock } = await harness({ reachesMax: 2 });
  const slow = expect(client.reached('0/1', { timeoutMs: 500 })).rejects.toMatchObject({
    code: 'reached_timeout',
  });
  const controller = new AbortController();
  const { signal } = controller;
  const aborted = expect(client.reached('0/1', { signal })).rejects.toMatchObject({
    code: 'reached_aborted',
  });
  await expect(client.reached('0/1')).rejects.toMatchObject({ code: 'too_many_reaches' });
  controller.abort();
  await aborted;
  await expect(client.reached('0/1', { signal })).rejects.toMatchObject({ code: 'reached_aborted' });
  clock.advance(500);
  await slow;
});

test('requestBytesMax', async () => {
  const { client } = await harness({ requestBytesMax: 100 });
  const overhead = JSON.stringify({ sql: 'x', params: [''] }).length;
  const longest = 'é'.repeat((100 - overhead) / 2);
  client.live({ sql: 'x', params: [longest] });
  expect(() => client.live({ sql: 'x', params: [`${longest}ab`] })).toThrow(code('request_too_large'));
  await expect(client.reached('x'.repeat(101))).rejects.toMatchObject({ code: 'request_too_large' });
});

test('stagedBytesMax: the view with most of it ends, the others go on', async () => {
  const made = await harness({ stagedBytesMax: 3000 });
  const { live, peer } = await current(made);
  const other = made.client.live<Issue>({ sql: 'w' });
  peer.answer((await peer.next('subscribe')).id, 'w', [], '0/10');
  await other.ready;
  const put = (key: string, length: number) => [['put', key, [key, 'x'.repeat(length)], null]] as const;
  peer.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/11'), ops: put('2', 2000) });
  await peer.read();
  expect(live.status).toBe('current');
  peer.send({ kind: 'delta', view: 'w', from: at('0/10'), to: at('0/12'), ops: put('3', 900) });
  expect(await peer.next('unsubscribe')).toEqual({ kind: 'unsubscribe', id: 1 });
  expect(live).toMatchObject({
    status: 'error',
    error: { code: 'staged_bytes_exceeded' },
    rows: [{ id: 1 }],
  });
  peer.send({ kind: 'move', position: at('0/12') });
  await until(other, () => other.rows.length === 1);
  expect(other.status).toBe('current');

  // Whole rows make what was staged before them void, and a move makes room.
  for (let lsn = 0x20; lsn < 0x30; lsn++) peer.send(wholeRows('w', [['1', 'y'.repeat(2000)]], `0/${lsn.toString(16)}`)); // prettier-ignore
  peer.send({ kind: 'move', position: at('0/30') });
  await until(other, () => other.rows[0]?.title.startsWith('y') === true);
});

test.each([{ keepMs: -1 }, { graceMs: Number.NaN }, { listenersMax: -5 }, { backoff: { maxMs: -1 } }])(
  'an option that cannot be: %o',
  async (options) => {
    await expect(harness(options)).rejects.toMatchObject({ code: 'option_invalid' });
  },
);
