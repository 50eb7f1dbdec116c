import { beforeEach, expect, test, vi } from 'vitest';
import { Feed } from './feed.js';
import { put, SessionsStage } from '../testing/sessions-stage.js';

let stage: SessionsStage;
beforeEach(() => {
  stage = new SessionsStage();
});

test('C13 deltas of all views, then one move, in one write', async () => {
  const { sink } = await stage.shown('a', 'b');
  sink.writes = 0;
  stage.views.batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', 'x')] });
  stage.views.batch(
    12,
    { delta: 'b', from: 10, to: 12, ops: [put('k', 'x')] },
    { delta: 'a', from: 11, to: 12, ops: [put('k', 'y')] },
  );
  stage.clock.turn();
  expect(sink.take()).toEqual(['delta a 10-11 (1)', 'delta a 11-12 (1)', 'delta b 10-12 (1)', 'move 12']);
  expect(sink.writes).toBe(1);
});

test('C3 a connection that has nothing to be told is told nothing', async () => {
  const { sink } = await stage.shown('a');
  stage.batch(20);
  stage.batch(30, { gap: 'a', through: 25 });
  stage.batch(40, { again: 'a', from: 35 });
  stage.clock.pass(60_000);
  expect(sink.take()).toEqual([]);
});

test('C3 a connection that waits for a position is told nothing on the way', async () => {
  const { sink, session } = await stage.shown('a');
  session.reach({ kind: 'reach', id: 1, target: '0/1E' });
  for (const at of [15, 20, 25]) stage.batch(at);
  expect(sink.take()).toEqual([]);
  stage.batch(30);
  expect(sink.take()).toEqual(['move 30 reached=1']);
});

test('C3 a batch that says nothing of its views does not touch a connection', async () => {
  const { sink } = await stage.shown('a');
  const other = await stage.shown('b');
  sink.looks = 0;
  for (let at = 11; at <= 20; at++)
    stage.batch(at, { delta: 'b', from: at - 1, to: at, ops: [put('k', String(at))] });
  expect(other.sink.take()).toHaveLength(20);
  expect(sink.looks).toBe(0);
});

test('P7 what a connection does for a change does not grow with the views that it has', async () => {
  const read = vi.spyOn(Feed.prototype, 'last', 'get');
  const spans = vi.spyOn(Feed.prototype, 'spanAt');
  const looks = async (views: number): Promise<number> => {
    stage = new SessionsStage();
    const names = Array.from({ length: views }, (_, n) => `v${n}`);
    const { sink } = await stage.shown(...names);
    read.mockClear();
    spans.mockClear();
    stage.batch(11, { delta: 'v0', from: 10, to: 11, ops: [put('k', '1')] });
    expect(sink.take()).toEqual(['delta v0 10-11 (1)', 'move 11']);
    return read.mock.calls.length + spans.mock.calls.length;
  };
  expect(await looks(300)).toBe(await looks(3));
  vi.restoreAllMocks();
});

test('C13 a delta that does not continue the chain: whole rows for who is behind it', async () => {
  const { sink } = await stage.shown('a');
  stage.batch(20, { delta: 'a', from: 15, to: 20, ops: [put('k', '1')] });
  expect(sink.take()).toEqual([]);
  const [asked] = stage.views.take('snapshot');
  stage.batch(21, { rows: 'a', at: 20, is: [], ref: asked?.ref ?? 0 });
  expect(sink.take()).toEqual(['rows a@20', 'move 21']);
  stage.batch(22, { delta: 'a', from: 20, to: 22, ops: [put('k', '2')] });
  expect(sink.take()).toEqual(['delta a 20-22 (1)', 'move 22']);
});

test('C14 the move goes to the greatest position at which all current views are valid', async () => {
  const { sink } = await stage.shown('a', 'b', 'c');
  stage.batch(
    40,
    { delta: 'a', from: 10, to: 15, ops: [put('k', '1')] },
    { delta: 'a', from: 15, to: 30, ops: [put('k', '2')] },
    { gap: 'b', through: 17 },
    { again: 'b', from: 25 },
    { gap: 'b', through: 31 },
    { gap: 'c', through: 27 },
  );
  // At 27 b and c are valid, and a's version of 15 is.
  expect(sink.take()).toEqual(['delta a 10-15 (1)', 'move 27']);
  stage.batch(41, { again: 'b', from: 41 }, { again: 'c', from: 41 });
  expect(sink.take()).toEqual(['delta a 15-30 (1)', 'move 41']);
});

test('C14 a connection that has told all but has a gap does not move by the lane', async () => {
  const { session, sink } = await stage.shown('a', 'b');
  stage.batch(20, { delta: 'a', from: 10, to: 20, ops: [put('k', '1')] });
  stage.batch(30, { gap: 'b', through: 25 });
  session.pong(7);
  stage.clock.turn();
  sink.take();
  stage.batch(40, { delta: 'a', from: 20, to: 40, ops: [put('k', '2')] });
  expect(sink.take()).toEqual([]);
  stage.batch(41, { again: 'b', from: 41 });
  expect(sink.take()).toEqual(['delta a 20-40 (1)', 'move 41']);
});

test('C14 a gap before an answer takes it back: the one before it has ended where that began', async () => {
  const { sink } = await stage.shown('a', 'b');
  stage.batch(20, { delta: 'a', from: 10, to: 20, ops: [put('k', '1')] }, { gap: 'a', through: 19 });
  stage.batch(40, { delta: 'b', from: 10, to: 40, ops: [put('k', '1')] });
  expect(sink.take()).toEqual([]);
  stage.clock.pass(100);
  expect(sink.take()).toEqual(['delta b 10-40 (1)', 'move 40 behind=a@10']);
});

test('P3 a view that comes back does not bring another one back to before where it was', async () => {
  const { session, sink } = await stage.shown('a');
  await stage.subscribe(session, 2, 'b');
  await stage.subscribe(session, 3, 'c');
  sink.take();
  stage.batch(
    50,
    { gap: 'a', through: 10 },
    { rows: 'b', at: 20, is: [] },
    { gap: 'b', through: 40 },
    { rows: 'c', at: 20, is: [] },
    { gap: 'c', through: 30 },
  );
  stage.clock.pass(150);
  expect(sink.take()).toEqual(['rows b@20', 'rows c@20', 'move 10 behind=b@40 behind=c@30']);
  session.unsubscribe({ kind: 'unsubscribe', id: 1 });
  stage.clock.pass(5000);
  stage.batch(51);
  expect(sink.take()).toEqual(['move 40 current=b']);
});

test('C14 a view that holds the others longer than 100 ms falls behind, goes on alone, and rejoins', async () => {
  const { sink } = await stage.shown('a', 'slow');
  stage.batch(20, { delta: 'a', from: 10, to: 20, ops: [put('k', '1')] }, { gap: 'slow', through: 12 });
  stage.clock.pass(99);
  expect(sink.take()).toEqual([]);
  stage.clock.pass(1);
  expect(sink.take()).toEqual(['delta a 10-20 (1)', 'move 20 behind=slow@10']);
  stage.batch(
    30,
    { delta: 'a', from: 20, to: 30, ops: [put('k', '2')] },
    { delta: 'slow', from: 10, to: 18, ops: [put('k', '1')] },
    { gap: 'slow', through: 19 },
  );
  expect(sink.take()).toEqual(['delta a 20-30 (1)', 'delta slow 10-18 (1)', 'move 30 behind=slow@19']);
  // Valid as far as the stream has come: the first common position.
  stage.batch(35, { delta: 'slow', from: 18, to: 33, ops: [put('k', '2')] });
  expect(sink.take()).toEqual(['delta slow 18-33 (1)', 'move 35 current=slow']);
});

test('C14 a view that is never valid at the tip gets to join: the others wait for it, once, a little', async () => {
  const { sink, session } = await stage.shown('a');
  await stage.subscribe(session, 2, 'busy');
  sink.take();
  stage.batch(50, { delta: 'a', from: 10, to: 50, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['delta a 10-50 (1)', 'move 50']);
  stage.batch(
    60,
    { rows: 'busy', at: 40, is: [] },
    { gap: 'busy', through: 45 },
    { delta: 'a', from: 50, to: 60, ops: [put('k', '2')] },
  );
  expect(sink.take()).toEqual([]);
  stage.clock.pass(20);
  stage.batch(70, { delta: 'busy', from: 40, to: 55, ops: [put('k', '1')] }, { gap: 'busy', through: 58 });
  expect(sink.take()).toEqual(['rows busy@40', 'delta busy 40-55 (1)', 'move 58 current=busy']);
  stage.batch(70, { delta: 'busy', from: 55, to: 66, ops: [put('k', '2')] }, { gap: 'busy', through: 68 });
  expect(sink.take()).toEqual(['delta busy 55-66 (1)', 'delta a 50-60 (1)', 'move 68']);
});

test('C14 … and in vain: it is shown behind, and does not hold anybody again before a pause', async () => {
  const { sink, session } = await stage.shown('a');
  await stage.subscribe(session, 2, 'busy');
  stage.batch(50, { delta: 'a', from: 10, to: 50, ops: [put('k', '1')] });
  sink.take();
  stage.batch(60, { rows: 'busy', at: 40, is: [] }, { gap: 'busy', through: 45 });
  stage.batch(61, { delta: 'a', from: 50, to: 61, ops: [put('k', '2')] });
  stage.clock.pass(100);
  expect(sink.take()).toEqual(['delta a 50-61 (1)', 'rows busy@40', 'move 61 behind=busy@45']);
  stage.batch(62, { delta: 'a', from: 61, to: 62, ops: [put('k', '3')] });
  expect(sink.take()).toEqual(['delta a 61-62 (1)', 'move 62']);
});

test('C17 an error is the answer at its position, and its end is news', async () => {
  const { sink } = await stage.shown('a', 'b');
  const error = { code: 'division_by_zero', message: 'no', retry: true };
  stage.batch(
    20,
    { error: 'a', from: 20, is: error },
    { delta: 'b', from: 10, to: 20, ops: [put('k', '1')] },
  );
  expect(sink.take()).toEqual(['delta b 10-20 (1)', 'move 20 error=a:division_by_zero']);
  stage.batch(25, { delta: 'b', from: 20, to: 25, ops: [put('k', '2')] });
  expect(sink.take()).toEqual(['delta b 20-25 (1)', 'move 25']);
  stage.batch(30, { again: 'a', from: 30 });
  expect(sink.take()).toEqual(['move 30 current=a']);
});

test('a view that ends fails its subscriptions, the others go on', async () => {
  const { sink } = await stage.shown('a', 'b');
  const gone = { code: 'table_gone', message: 'no', retry: false };
  stage.batch(20, { ended: 'a', is: gone }, { delta: 'b', from: 10, to: 20, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['error 1:table_gone', 'delta b 10-20 (1)', 'move 20']);
  expect(stage.views.take('release')).toEqual([]);
});

test('a view that ends fails the subscriptions of all who hold it', async () => {
  const sinks = [];
  for (let n = 0; n < 5; n++) sinks.push((await stage.shown('a')).sink);
  for (const sink of sinks) sink.take();
  stage.batch(20, { ended: 'a', is: { code: 'table_gone', message: 'no', retry: false } });
  expect(sinks.map((sink) => sink.take())).toEqual(sinks.map(() => ['error 1:table_gone']));
});

test('two subscriptions of one view: its rows travel once', async () => {
  const { sink, session } = await stage.shown('a');
  await stage.subscribe(session, 2, 'a');
  expect(sink.take()).toEqual(['subscribed 2=a shared']);
  session.unsubscribe({ kind: 'unsubscribe', id: 1 });
  stage.batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['delta a 10-11 (1)', 'move 11']);
});

test('what is held of a view goes with it, and of what the log has let go no delta is kept', async () => {
  stage = new SessionsStage({ logBytesTotalMax: 10_000, rowsBytesMax: 0, keepMs: 0 });
  const { session } = await stage.shown('a', 'b');
  const large = 'x'.repeat(6_000);
  for (const view of ['a', 'b']) stage.batch(20, { delta: view, from: 10, to: 20, ops: [put('k', large)] });
  stage.batch(30, { gap: 'a', through: 25 }, { again: 'a', from: 30 });
  expect(stage.sessions.status().heldBytes).toBeLessThan(10_000);
  session.closed();
  stage.clock.pass(1);
  expect(stage.sessions.status()).toMatchObject({ views: 0, heldBytes: 0 });
});

test('late joiners share one snapshot, and get the deltas since', async () => {
  stage = new SessionsStage({ rowsBytesMax: 0 });
  await stage.shown('a');
  const [one, two] = [stage.connect(), stage.connect()];
  await stage.subscribe(one.session, 1, 'a');
  await stage.subscribe(two.session, 1, 'a');
  const asked = stage.views.take('snapshot');
  expect(asked).toHaveLength(1);
  stage.batch(
    12,
    { rows: 'a', at: 10, is: [], ref: asked[0]?.ref ?? 0 },
    { delta: 'a', from: 10, to: 12, ops: [put('k', '1')] },
  );
  for (const { sink } of [one, two]) {
    expect(sink.take()).toEqual(['subscribed 1=a', 'rows a@10', 'delta a 10-12 (1)', 'move 12 current=a']);
  }
});

test('replaces: the new one is shown and the old one ends in the same move', async () => {
  const { sink, session } = await stage.shown('a');
  await stage.subscribe(session, 2, 'b', { replaces: 1 });
  stage.batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['subscribed 2=b', 'delta a 10-11 (1)', 'move 11']);
  stage.batch(12, { rows: 'b', at: 12, is: [] });
  expect(sink.take()).toEqual(['rows b@12', 'move 12 current=b replaced=1']);
  stage.batch(13, { delta: 'a', from: 11, to: 13, ops: [put('k', '2')] });
  expect(sink.take()).toEqual([]);
});

test('an unsubscribed query that is being planned is let go when it comes', async () => {
  stage.views.viewOf = null;
  const { session, sink } = stage.connect();
  await stage.subscribe(session, 1, 'a');
  session.unsubscribe({ kind: 'unsubscribe', id: 1 });
  stage.views.opened(stage.views.take('open')[0]?.ref ?? 0, 'a');
  stage.clock.turn();
  expect(sink.take()).toEqual([]);
  expect(stage.sessions.status()).toMatchObject({ views: 1, idleViews: 1, subscriptions: 0 });
});
