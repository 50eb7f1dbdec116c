import { expect, test } from 'vitest';
import { Restlessness, type Round } from './restlessness.js';

// C12: after three rounds or 250 ms to the pace of re-runs, until quiet.

const BEHIND: Round = { caughtUp: false, whole: true };
const CAUGHT_UP: Round = { caughtUp: true, whole: true };

test('three rounds that do not reach the present make a binding restless, once', () => {
  const one = new Restlessness(0);
  expect([one.round(1, BEHIND), one.round(2, BEHIND), one.round(3, BEHIND), one.round(4, BEHIND)]).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

test('so does one round that took 250 ms in vain, but not one that succeeded', () => {
  expect(new Restlessness(0).round(250, BEHIND)).toBe(true);
  expect(new Restlessness(0).round(250, CAUGHT_UP)).toBe(false);
});

test('missing again and again makes restless though each round reaches the present for a moment', () => {
  const one = new Restlessness(0);
  const rounds = Array.from({ length: 4 }, (_, n) => {
    one.missed(n * 100);
    return one.round(n * 100 + 10, CAUGHT_UP);
  });
  expect(rounds).toEqual([false, false, false, true]);
});

test('a second without a miss is quiet; less is not', () => {
  const one = new Restlessness(0);
  one.round(300, BEHIND);
  one.round(400, CAUGHT_UP);
  expect(one.isRestlessAt(1399)).toBe(true);
  one.missed(1399);
  expect(one.isRestless).toBe(true);
  one.round(1400, CAUGHT_UP);
  expect(one.isRestlessAt(2400)).toBe(false);
  one.missed(2400);
  expect(one.isRestless).toBe(false);
  expect(one.round(2410, CAUGHT_UP)).toBe(false);
});

test('reading what is missing alone is no round as long as it is enough', () => {
  const one = new Restlessness(0);
  for (let n = 0; n < 20; n++) {
    one.missed(n * 100);
    expect(one.round(n * 100 + 10, { caughtUp: true, whole: false })).toBe(false);
  }
  one.missed(2000);
  const rounds = [2010, 2020, 2030].map((nowMs) => one.round(nowMs, { caughtUp: false, whole: false }));
  expect(rounds).toEqual([false, false, true]);
});
