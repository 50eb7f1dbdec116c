import { expect, test } from 'vitest';
import { mentionsPresent, parseTick, readsPresent } from './clock.js';

test.each([
  ['1s', 1_000],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['24d', 2_073_600_000],
])('the tick %s', (tick, ms) => {
  expect(parseTick(tick)).toBe(ms);
});

test.each(['', '0s', '1', 's', '-1s', '1.5m', '1w', '25d', '1000000s', ' 1s'])('no tick: %j', (tick) => {
  expect(() => parseTick(tick)).toThrow(expect.objectContaining({ code: 'tick_invalid' }) as Error);
});

test('words for the present', () => {
  for (const text of ['now', 'TODAY', ' tomorrow ', 'yesterday 10:00', '{now}', '[today,tomorrow)'])
    expect(mentionsPresent(text)).toBe(true);
  for (const text of ['2020-01-01', 'infinity', 'epoch', 'knowing', 'nowhere'])
    expect(mentionsPresent(text)).toBe(false);
});

test('a constant stands for the present unless something shows that it is text', () => {
  const isTime = (column: string): boolean => column === 'due';
  const reads = (value: string, besideColumn: string | null, castTo: string | null): boolean =>
    readsPresent({ value, besideColumn, castTo }, isTime);
  expect(reads('today', 'due', null)).toBe(true);
  expect(reads('today 10:00', null, null)).toBe(true);
  expect(reads('now', null, 'timestamptz')).toBe(true);
  expect(reads('today', 'title', null)).toBe(false);
  expect(reads('today', null, 'text')).toBe(false);
  expect(reads('what happens today', null, null)).toBe(false);
});
