import { expect, test } from 'vitest';
import { Backlog } from './backlog.js';

// C19: the stages at half and three quarters of what the slot may retain, with hysteresis.

function backlog(): { look: (percent: number) => string; one: Backlog; clock: { nowMs: number } } {
  const clock = { nowMs: 1000 };
  const one = new Backlog({ limitBytes: 1000, msMax: 60_000, now: () => clock.nowMs });
  return {
    one,
    clock,
    look: (percent) => {
      one.look(BigInt(percent * 10));
      return one.stage;
    },
  };
}

test('a stage begins at its threshold, and all are over only below a quarter', () => {
  const { look, one } = backlog();
  expect([49, 50, 74, 75, 60, 40, 25, 24, 49].map(look)).toEqual([
    'none',
    'pause',
    'pause',
    'shed',
    'shed',
    'shed',
    'shed',
    'none',
    'none',
  ]);
  expect(one.counts).toEqual({ pause: 1, shed: 1 });
  expect(look(90)).toBe('shed');
  expect(one.counts).toEqual({ pause: 2, shed: 2 });
});

test('hope ends a while after the first stage began, whichever came since', () => {
  const { look, one, clock } = backlog();
  look(50);
  clock.nowMs += 30_000;
  look(80);
  clock.nowMs += 29_999;
  expect(one.isHopeless).toBe(false);
  clock.nowMs++;
  expect(one.isHopeless).toBe(true);
  look(0);
  expect([one.isHopeless, one.forMs]).toEqual([false, 0]);
});
