import { expect, test } from 'vitest';
import { Restlessness } from './restlessness.js';

// C12: after three rounds or 250 ms to the pace of re-runs, until quiet.

test('three rounds that do not reach the present make a binding restless, once', () => {
  const one = new Restlessness(0);
  expect([one.round(1, false), one.round(2, false), one.round(3, false), one.round(4, false)]).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

test('so does one round that took 250 ms in vain, but not one that succeeded', () => {
  expect(new Restlessness(0).round(250, false)).toBe(true);
  expect(new Restlessness(0).round(250, true)).toBe(false);
});

test('missing again and again makes restless though each round reaches the present for a moment', () => {
  const one = new Restlessness(0);
  const rounds = Array.from({ length: 4 }, (_, n) => {
    one.missed(n * 100);
    return one.round(n * 100 + 10, true);
  });
  expect(rounds).toEqual([false, false, false, true]);
});

test('a second without a miss is quiet; less is not', () => {
  const one = new Restlessness(0);
  one.round(300, false);
  one.round(400, true);
  expect(one.isRestlessAt(1399)).toBe(true);
  one.missed(1399);
  expect(one.isRestless).toBe(true);
  one.round(1400, true);
  expect(one.isRestlessAt(2400)).toBe(false);
  one.missed(2400);
  expect(one.isRestless).toBe(false);
  expect(one.round(2410, true)).toBe(false);
});
