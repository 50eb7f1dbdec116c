import { asLsn } from '@sluice/core/lsn';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Passing } from './passing.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('C2: those who wait at once ask once and make one mark', async () => {
  let marks = 0;
  let asked = 0;
  const passing = new Passing({
    ask: () => void asked++,
    mark: () => {
      marks++;
      return Promise.resolve();
    },
  });
  const waiting = Array.from({ length: 500 }, (_, n) => passing.wait(asLsn(BigInt(100 + n))));
  await vi.advanceTimersByTimeAsync(20);
  expect([asked, marks, passing.waiting]).toEqual([1, 1, 500]);
  passing.passed(asLsn(1000n));
  await Promise.all(waiting);
  await vi.advanceTimersByTimeAsync(1000);
  expect([marks, passing.waiting]).toEqual([1, 0]);
});

test('C2: who comes while a mark is being made gets one of its own: the other may lie below', async () => {
  const making: (() => void)[] = [];
  const passing = new Passing({
    ask: () => undefined,
    mark: () => new Promise((resolve) => making.push(resolve)),
  });
  const first = passing.wait(asLsn(100n));
  await vi.advanceTimersByTimeAsync(5);
  const second = passing.wait(asLsn(200n));
  await vi.advanceTimersByTimeAsync(50);
  expect(making).toHaveLength(1);
  making[0]?.();
  await vi.advanceTimersByTimeAsync(5);
  expect(making).toHaveLength(2);
  passing.passed(asLsn(200n));
  await Promise.all([first, second]);
});
