import { beforeEach, expect, test } from 'vitest';
import { put, SessionsStage } from '../testing/sessions-stage.js';

let stage: SessionsStage;
beforeEach(() => {
  stage = new SessionsStage();
});

test('views that nobody holds stay for a while, within a budget, oldest out first', async () => {
  stage = new SessionsStage({ keepViewsMax: 2 });
  const { session } = await stage.shown('a', 'b', 'c');
  session.closed();
  expect(stage.views.take('release').map(({ view }) => view)).toEqual(['a']);
  stage.clock.pass(59_000);
  const back = stage.connect();
  await stage.subscribe(back.session, 1, 'b');
  expect(back.sink.take()).toEqual(['subscribed 1=b', 'rows b@10', 'move 10 current=b']);
  stage.clock.pass(1000);
  // The extra hold of the second `open` was given back at once; c went cold.
  expect(stage.views.take('release').map(({ view }) => view)).toEqual(['b', 'c']);
  back.session.closed();
  stage.clock.pass(60_000);
  expect(stage.views.take('release').map(({ view }) => view)).toEqual(['b']);
  expect(stage.sessions.status()).toMatchObject({ views: 0, heldBytes: 0 });
});

test('P6: when views hold too much, those that nobody holds go before it is said that they have', async () => {
  const { session } = await stage.shown('a', 'b');
  const other = stage.connect();
  await stage.subscribe(other.session, 1, 'b');
  session.closed();
  stage.views.posted.length = 0;
  stage.views.tell({ kind: 'full' });
  expect(stage.views.posted).toEqual([{ kind: 'release', view: 'a' }, { kind: 'spared' }]);
  expect(stage.sessions.status()).toMatchObject({ views: 1, idleViews: 0 });
});

test('a view is not given up while an open is unanswered that may name it', async () => {
  const { session } = await stage.shown('a');
  stage.views.viewOf = null;
  const other = stage.connect();
  await stage.subscribe(other.session, 1, 'the same, written differently');
  session.closed();
  stage.clock.pass(120_000);
  expect(stage.views.take('release')).toEqual([]);
  stage.views.opened(stage.views.take('open').at(-1)?.ref ?? 0, 'a');
  stage.clock.turn();
  expect(other.sink.take()).toEqual(['subscribed 1=a', 'rows a@10', 'move 10 current=a']);
});

test('deltas and rows that are held have a bound over all views', async () => {
  stage = new SessionsStage({ logBytesTotalMax: 2000, rowsBytesMax: 200 });
  await stage.shown('a', 'b', 'c');
  for (let at = 11; at < 200; at++) {
    for (const view of ['a', 'b', 'c'])
      stage.batch(at, { delta: view, from: at - 1, to: at, ops: [put('k', 'x'.repeat(50))] });
  }
  expect(stage.sessions.status().heldBytes).toBeLessThan(2000 + 200 + 3 * 200);
});
