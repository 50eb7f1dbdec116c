import { expect, test } from 'vitest';
import { RestingViews } from './resting-views.js';

test('P6: a view that was given up rests, each time in a row twice as long, to a bound', () => {
  const views = new RestingViews();
  expect(views.restMs('a', 0)).toBe(0);
  const rests: number[] = [];
  let nowMs = 1000;
  for (let time = 0; time < 8; time++) {
    views.gaveUp('a', nowMs);
    const ms = views.restMs('a', nowMs);
    rests.push(ms / 1000);
    expect([views.restMs('a', nowMs + ms - 1), views.restMs('a', nowMs + ms)]).toEqual([1, 0]);
    nowMs += ms + 1;
  }
  expect(rests).toEqual([10, 20, 40, 80, 160, 320, 320, 320]);
  expect(views.restMs('b', nowMs)).toBe(0);
  // It stayed for longer than it rested before.
  views.gaveUp('a', nowMs + 320_000);
  expect(views.restMs('a', nowMs + 320_000)).toBe(10_000);
});

test('P6: so many are remembered, and no more', () => {
  const views = new RestingViews();
  for (let n = 0; n < 1500; n++) views.gaveUp(`v${n}`, n);
  expect(views.size).toBe(1000);
  expect([views.restMs('v499', 1500), views.restMs('v500', 1500) > 0]).toEqual([0, true]);
});
