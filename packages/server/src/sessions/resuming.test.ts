import { bucketOf, digest } from '@sluice/core/digest';
import { asLsn } from '@sluice/core/lsn';
import type { ServerMessage } from '@sluice/core/wire';
import { beforeEach, expect, test } from 'vitest';
import { put, SessionsStage } from '../testing/sessions-stage.js';

let stage: SessionsStage;
beforeEach(() => {
  stage = new SessionsStage();
});

test('C15 resume: held deltas, else a difference, nothing twice', async () => {
  const { session } = await stage.shown('a');
  session.closed();
  stage.batch(12, { delta: 'a', from: 10, to: 12, ops: [put('k', '1')] });
  const chain = `${'01'.repeat(6)}.1`;
  const resume = { view: 'a', chain, at: stage.views.position(10), buckets: ['0000000000000000'] };
  const back = stage.connect();
  await stage.subscribe(back.session, 1, 'a', { resume });
  expect(back.sink.take()).toEqual(['subscribed 1=a', 'delta a 10-12 (1)', 'move 12 current=a']);
  // From another server: the same position, but not of this chain.
  const other = stage.connect();
  await stage.subscribe(other.session, 1, 'a', { resume: { ...resume, chain: 'ff.1' } });
  expect(other.sink.take()).toEqual([
    'subscribed 1=a',
    'difference a@10 buckets=',
    'delta a 10-12 (1)',
    'move 12 current=a',
  ]);
  const empty = stage.connect();
  await stage.subscribe(empty.session, 1, 'a', { resume: { ...resume, chain: 'ff.1', buckets: [] } });
  expect(empty.sink.take()).toEqual([
    'subscribed 1=a',
    'rows a@10',
    'delta a 10-12 (1)',
    'move 12 current=a',
  ]);
});

test('C15 a difference brings the rows that differ, and no others', async () => {
  const rows = Array.from({ length: 64 }, (_, n) => [`k${n}`, [`v${n}`]] as const);
  const { session } = stage.connect();
  await stage.subscribe(session, 1, 'a');
  stage.batch(10, { rows: 'a', at: 10, is: rows });
  const back = stage.connect();
  const messages: ServerMessage[] = [];
  const send = back.sink.send.bind(back.sink);
  back.sink.send = (sent) => {
    messages.push(...sent.map((one) => JSON.parse(Buffer.from(one).toString()) as ServerMessage));
    send(sent);
  };
  const seed = stage.sessions.seed({ role: 'r', claims: {} });
  const held = rows.map(([key, row]) => [key, key === 'k7' ? ['old'] : row] as const);
  const { buckets } = digest(seed, held, 16);
  const resume = { view: 'a', chain: 'ff.1', at: stage.views.position(9), buckets };
  await stage.subscribe(back.session, 1, 'a', { resume });
  const bucket = bucketOf(seed, 16);
  expect(messages.find(({ kind }) => kind === 'difference')).toMatchObject({
    at: stage.views.position(10),
    of: 16,
    buckets: [bucket('k7')],
    rows: rows.filter(([key]) => bucket(key) === bucket('k7')),
  });
});

test('P3 nothing older than the client has seen, within an epoch', async () => {
  await stage.shown('a');
  const ahead = stage.connect(stage.views.position(15));
  await stage.subscribe(ahead.session, 1, 'a');
  stage.batch(14);
  expect(ahead.sink.take()).toEqual(['subscribed 1=a']);
  stage.batch(15);
  expect(ahead.sink.take()).toEqual(['rows a@10', 'move 15 current=a']);
  const elsewhere = stage.connect('9.9:0/FF');
  await stage.subscribe(elsewhere.session, 1, 'a');
  expect(elsewhere.sink.take()).toEqual(['subscribed 1=a', 'rows a@10', 'move 15 current=a']);
});

test('another epoch: a lower LSN is ahead', async () => {
  const { sink } = await stage.shown('a');
  stage.views.batch(20, { gap: 'a', through: 20 });
  stage.views.epoch = '7.2';
  stage.batch(5);
  expect(sink.take()).toEqual([]);
  stage.batch(6, { again: 'a', from: 5 });
  expect(sink.take()).toEqual([]);
  stage.views.tell({
    kind: 'batch',
    epoch: '7.2',
    position: asLsn(7n),
    entries: [
      {
        kind: 'delta',
        ...stage.views.at('a'),
        from: asLsn(10n),
        to: asLsn(7n),
        message: Buffer.from('{"kind":"delta","view":"a","from":"7.1:0/A","to":"7.2:0/7","ops":[]}'),
        count: 0,
      },
    ],
  });
  stage.clock.turn();
  expect(sink.take()).toEqual(['delta a 10-7 (0)', 'move 7']);
});
