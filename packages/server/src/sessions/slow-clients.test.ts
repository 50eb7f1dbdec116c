import type { Op } from '@sluice/core/wire';
import { SPAN_BYTES } from './version-log.js';
import { beforeEach, expect, test } from 'vitest';
import { put, type Recorder, SessionsStage } from '../testing/sessions-stage.js';
import type { ScriptEntry } from '../testing/scripted-views.js';
import { Replica } from '../transport/replica.js';

let stage: SessionsStage;
beforeEach(() => {
  stage = new SessionsStage();
});

test('a client that does not read: folded, and whole when the log does not reach back', async () => {
  stage = new SessionsStage({ logVersionsMax: 4 });
  const { sink, session } = await stage.shown('a');
  sink.bufferedBytes = 2 ** 30;
  for (let at = 11; at <= 13; at++)
    stage.batch(at, { delta: 'a', from: at - 1, to: at, ops: [put('k', String(at))] });
  expect(sink.take()).toEqual([]);
  sink.bufferedBytes = 0;
  session.drained();
  stage.clock.turn();
  expect(sink.take()).toEqual(['delta a 10-13 (1)', 'move 13']);
  sink.bufferedBytes = 2 ** 30;
  for (let at = 14; at <= 20; at++)
    stage.batch(at, { delta: 'a', from: at - 1, to: at, ops: [put('k', String(at))] });
  sink.bufferedBytes = 0;
  session.drained();
  stage.clock.turn();
  const [asked] = stage.views.take('snapshot');
  stage.batch(20, { rows: 'a', at: 20, is: [['k', ['20']]], ref: asked?.ref ?? 0 });
  expect(sink.take()).toEqual(['rows a@20', 'move 20']);
});

/** Version `at` of `k`: the same text with as many stars behind it. */
const starred = (at: number): ScriptEntry => ({
  delta: 'a',
  from: at - 1,
  to: at,
  ops: [put('k', `text${'*'.repeat(at - 10)}`)],
  edited: [['edit', 'k', [[0, [[at - 7, 0, '*']]]]]],
});

/** The operations that came, of all deltas. */
const opsOf = (sink: Recorder): Op[] => {
  const messages = sink.messages.splice(0);
  sink.take();
  return messages.flatMap((message) => (message.kind === 'delta' ? message.ops : []));
};

test('edits are for those who take them; to others rows come whole, in deltas while they are there', async () => {
  const edits = await stage.shown('a');
  stage.batch(11, starred(11));
  expect(opsOf(edits.sink)).toEqual([['edit', 'k', [[0, [[4, 0, '*']]]]]]);
  const { sink, session } = stage.connect(null, false);
  await stage.subscribe(session, 1, 'a');
  // What leads from the rows that are remembered to the present holds an edit: others are asked for.
  expect(sink.take()).toEqual(['subscribed 1=a']);
  const [asked] = stage.views.take('snapshot');
  stage.batch(12, { rows: 'a', at: 11, is: [['k', ['text*']]], ref: asked?.ref ?? 0 }, starred(12));
  expect(sink.take()).toEqual(['rows a@11', 'delta a 11-12 (1)', 'move 12 current=a']);
  stage.batch(13, starred(13));
  expect(opsOf(sink)).toEqual([put('k', 'text**'), put('k', 'text***')]);
  expect(opsOf(edits.sink).map(([kind]) => kind)).toEqual(['edit', 'edit']);
  // It goes; what comes after is held without the whole rows again.
  const held = stage.sessions.status().heldBytes;
  session.closed();
  stage.batch(14, starred(14));
  const { length } = JSON.stringify(edits.sink.messages.at(-2));
  expect(edits.sink.messages.at(-2)?.kind).toBe('delta');
  expect(stage.sessions.status().heldBytes - held).toBe(SPAN_BYTES + length);
  const back = stage.connect(null, false);
  const chain = `${'01'.repeat(6)}.1`;
  await stage.subscribe(back.session, 1, 'a', {
    resume: { view: 'a', chain, at: stage.views.position(13), buckets: [] },
  });
  expect(stage.views.take('snapshot').length).toBe(1);
});

test.each([true, false])('edits are folded with all that they build on (ordered: %s)', async (ordered) => {
  stage.views.shape = { ...stage.views.shape, ordered };
  const { sink, session } = await stage.shown('a');
  opsOf(sink);
  sink.bufferedBytes = 2 ** 30;
  const last = ordered ? ([null] as const) : ([] as const);
  stage.batch(11, {
    delta: 'a',
    from: 10,
    to: 11,
    ops: [['put', 'k', ['gone'], ...last] as Op, ['put', 'l', ['x'], ...last] as Op],
  });
  stage.batch(12, {
    delta: 'a',
    from: 11,
    to: 12,
    ops: [['put', 'k', ['text**'], ...last] as Op, ['del', 'l']],
  });
  for (const at of [13, 14]) stage.batch(at, starred(at));
  sink.bufferedBytes = 0;
  session.drained();
  stage.clock.turn();
  const [folded, ...rest] = [...sink.messages];
  expect(rest.map(({ kind }) => kind)).toEqual(['move']);
  const told = opsOf(sink).map(([kind, key]) => `${kind} ${key}`);
  if (!ordered) expect(told).toEqual(['put k', 'edit k', 'edit k', 'del l']);
  const replica = new Replica();
  replica.open('a', stage.views.shape);
  replica.stage({ kind: 'rows', view: 'a', at: stage.views.position(10), rows: [['k', ['old']]] });
  if (folded !== undefined) replica.stage(folded);
  replica.move({ kind: 'move', position: stage.views.position(14) });
  expect([...replica.view('a').rows]).toEqual([['k', ['text****']]]);
});

test('in an order a row that is told without a place stands where it was put, however deltas are folded', async () => {
  stage.views.shape = { ...stage.views.shape, ordered: true };
  const { sink, session } = await stage.shown('a');
  opsOf(sink);
  sink.bufferedBytes = 2 ** 30;
  const deltas: Op[][] = [
    [['put', 'l', ['l1'], 'k']],
    [put('l', 'l2'), ['put', 'm', ['m1'], null]],
    [put('k', 'k2'), put('m', 'm2')],
    [['put', 'k', ['k2'], 'l'], put('l', 'l3')],
  ];
  for (const [n, ops] of deltas.entries()) stage.batch(11 + n, { delta: 'a', from: 10 + n, to: 11 + n, ops });
  sink.bufferedBytes = 0;
  session.drained();
  stage.clock.turn();
  const [folded, ...rest] = [...sink.messages];
  expect(rest.map(({ kind }) => kind)).toEqual(['move']);
  const replica = new Replica();
  replica.open('a', stage.views.shape);
  replica.stage({ kind: 'rows', view: 'a', at: stage.views.position(10), rows: [['k', ['k1']]] });
  if (folded !== undefined) replica.stage(folded);
  replica.move({ kind: 'move', position: stage.views.position(14) });
  const { keys, rows } = replica.view('a');
  expect(keys.map((key) => [key, rows.get(key)?.[0]])).toEqual([['m', 'm2'], ['l', 'l3'], ['k', 'k2']]); // prettier-ignore
});

test('a client that never reads again is closed, and so is one whose buffer is over the bound', async () => {
  stage = new SessionsStage({ bufferBytesMax: 1000 });
  const { sink } = await stage.shown('a');
  sink.bufferedBytes = 2 ** 30;
  stage.batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', 'x')] });
  stage.clock.pass(60_000);
  expect(sink.closed).toBe('4409');
  const other = await stage.shown('b');
  Object.defineProperty(other.sink, 'bufferedBytes', { get: () => (other.sink.lines.length > 0 ? 1001 : 0) });
  stage.batch(21, { delta: 'b', from: 10, to: 21, ops: [put('k', 'x')] });
  expect(other.sink.closed).toBe('4409');
  expect(stage.sessions.status().sessions).toBe(0);
});

test('one that asks without reading the answers is closed', async () => {
  stage = new SessionsStage({ controlMax: 10 });
  const { sink, session } = await stage.shown('a');
  sink.bufferedBytes = 2 ** 30;
  for (let id = 0; id < 10; id++) session.pong(id);
  stage.clock.turn();
  expect(sink.closed).toBeNull();
  session.pong(10);
  stage.clock.turn();
  expect(sink.closed).toBe('4409');
});
