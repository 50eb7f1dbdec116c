import { asLsn } from '@sluice/core/lsn';
import { beforeEach, expect, test } from 'vitest';
import { put, SessionsStage } from '../testing/sessions-stage.js';

let stage: SessionsStage;
beforeEach(() => {
  stage = new SessionsStage();
});

test('C26 reach: LSN, position, token; before and after; and what never comes', async () => {
  const { sink, session } = await stage.shown('a');
  session.reach({ kind: 'reach', id: 1, target: '0/A' });
  stage.clock.turn();
  expect(sink.take()).toEqual(['move 10 reached=1']);
  session.reach({ kind: 'reach', id: 2, target: '0/10' });
  session.reach({ kind: 'reach', id: 3, target: stage.views.position(15) });
  session.reach({ kind: 'reach', id: 4, target: 'token-early' });
  stage.batch(15);
  expect(sink.take()).toEqual(['move 15 reached=3']);
  stage.views.tell({ kind: 'token', token: 'token-early', lsn: asLsn(15n) });
  stage.views.tell({ kind: 'token', token: 'token-late', lsn: asLsn(16n) });
  session.reach({ kind: 'reach', id: 5, target: 'token-late' });
  stage.clock.turn();
  expect(sink.take()).toEqual(['move 15 reached=4']);
  stage.batch(16);
  expect(sink.take()).toEqual(['move 16 reached=2+5']);
  for (const target of ['nonsense', '', '8.8:0/1']) session.reach({ kind: 'reach', id: 6, target });
  session.reach({ kind: 'reach', id: 7, target: 'token-never' });
  stage.clock.turn();
  expect(sink.take()).toEqual([
    'error 6:reach_target_invalid',
    'error 6:reach_target_invalid',
    'error 6:position_of_another_epoch',
  ]);
  stage.clock.pass(60_000);
  expect(sink.take()).toEqual(['error 7:reach_timeout']);
});

test('C14 reach does not wait for views that are behind or loading', async () => {
  const { sink, session } = await stage.shown('a', 'slow');
  await stage.subscribe(session, 3, 'loading');
  session.reach({ kind: 'reach', id: 1, target: '0/14' });
  stage.batch(20, { delta: 'a', from: 10, to: 20, ops: [put('k', '1')] }, { gap: 'slow', through: 12 });
  stage.clock.pass(100);
  expect(sink.take()).toEqual([
    'subscribed 3=loading',
    'delta a 10-20 (1)',
    'move 20 behind=slow@10 reached=1',
  ]);
});

test('tokens are forgotten oldest first', async () => {
  stage = new SessionsStage({ tokensMax: 2 });
  const { sink, session } = await stage.shown('a');
  for (const name of ['1', '2', '3'])
    stage.views.tell({ kind: 'token', token: `token-${name}`, lsn: asLsn(5n) });
  session.reach({ kind: 'reach', id: 1, target: 'token-1' });
  session.reach({ kind: 'reach', id: 2, target: 'token-2' });
  stage.clock.turn();
  expect(sink.take()).toEqual(['move 10 reached=2']);
});
