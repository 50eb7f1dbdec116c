import { afterEach, beforeEach, expect, test } from 'vitest';
import { Serving } from '../testing/serving.js';

let serving: Serving;

beforeEach(async () => {
  serving = await Serving.start();
});

afterEach(() => serving.stop());

test('hello, subscribe, rows, deltas, move, reach, unsubscribe', async () => {
  const { views } = serving;
  const wire = await serving.connect();
  wire.send({ kind: 'subscribe', id: 1, sql: 'a' });
  expect(await wire.message()).toMatchObject({ kind: 'subscribed', id: 1, view: 'a', shape: views.shape });
  views.batch(40, { rows: 'a', at: 10, is: [['k', ['one']]] });
  expect(await wire.move()).toEqual([
    { kind: 'rows', view: 'a', at: '7.1:0/A', rows: [['k', ['one']]] },
    { kind: 'move', position: '7.1:0/28', current: ['a'] },
  ]);
  views.batch(41, { delta: 'a', from: 10, to: 41, ops: [['put', 'k', ['two']]] });
  expect(await wire.move()).toEqual([
    { kind: 'delta', view: 'a', from: '7.1:0/A', to: '7.1:0/29', ops: [['put', 'k', ['two']]] },
    { kind: 'move', position: '7.1:0/29' },
  ]);
  wire.send({ kind: 'reach', id: 5, target: '0/30' });
  wire.send({ kind: 'ping', id: 9 });
  expect(await wire.message()).toEqual({ kind: 'pong', id: 9 });
  views.batch(48);
  expect(await wire.move()).toEqual([{ kind: 'move', position: '7.1:0/30', reached: [5] }]);
  wire.send({ kind: 'unsubscribe', id: 1 });
  wire.send({ kind: 'ping', id: 10 });
  expect(await wire.message()).toEqual({ kind: 'pong', id: 10 });
  views.batch(49, { delta: 'a', from: 41, to: 49, ops: [['del', 'k']] });
  wire.send({ kind: 'ping', id: 11 });
  expect(await wire.message()).toEqual({ kind: 'pong', id: 11 });
});
