import { expect, test } from 'vitest';
import { areAmong, cutOtherwise, isListedOtherwise, sameOrder, uncut } from './same-order.js';

const ROWS = [
  ['1', 'a'],
  ['1', 'b'],
  ['2', 'a'],
] as const;
const [first, second, third] = ROWS;

test('equal rows may stand in any order, others may not', () => {
  const text = 'SELECT n, t FROM x ORDER BY n DESC NULLS LAST LIMIT 3';
  expect(sameOrder(text, ['n', 't'], ROWS, [second, first, third])).toBe(true);
  expect(sameOrder(text, ['n', 't'], ROWS, [third, second, first])).toBe(false);
  expect(sameOrder('SELECT n, t FROM x ORDER BY 1, x.t', ['n', 't'], ROWS, [second, first, third])).toBe(
    false,
  );
});

test('what orders by something else cannot be told', () => {
  for (const text of [
    'SELECT n FROM x ORDER BY lower(t)',
    'SELECT n FROM x ORDER BY other',
    'SELECT (SELECT 1 ORDER BY n)',
  ])
    expect(sameOrder(text, ['n', 't'], ROWS, ROWS)).toBe(null);
});

test('what a LIMIT cuts is found again', () => {
  expect(uncut('SELECT n, t FROM x ORDER BY n LIMIT 2')).toBe('SELECT n, t FROM x ORDER BY n');
  for (const text of [
    'SELECT n FROM x LIMIT 2',
    'SELECT n FROM x ORDER BY n LIMIT 2 OFFSET 3',
    'SELECT * FROM (SELECT n FROM x ORDER BY n LIMIT 2)',
  ])
    expect(uncut(text)).toBe(null);
  expect(areAmong([third, first], ROWS)).toBe(true);
  expect(areAmong([first, first], ROWS)).toBe(false);
});

test('rows that a subquery cuts in no order may be others', () => {
  const text =
    'SELECT * FROM x, LATERAL (SELECT f(n), t FROM y LIMIT 1) a, (SELECT * FROM (SELECT t FROM y LIMIT 2) b) c';
  expect(cutOtherwise(text)).toContain(
    'SELECT * FROM x, LATERAL (SELECT f(n), t FROM y ORDER BY 2 DESC LIMIT 1) a, (SELECT * FROM (SELECT t FROM y ORDER BY 2 DESC LIMIT 2) b) c',
  );
  for (const ordered of [
    'SELECT * FROM (SELECT n FROM x ORDER BY f(n) LIMIT 1) a',
    'SELECT n FROM x LIMIT 1',
  ])
    expect(cutOtherwise(ordered)).toEqual([]);
});

test('a list whose order is left open may be in any', () => {
  const [one, other] = [[['[1, 2]']], [['[2, 1]']]];
  expect(isListedOtherwise('SELECT json_agg(n) FROM x', one, other)).toBe(true);
  expect(isListedOtherwise('SELECT json_agg(n) FROM x', one, [['[2, 2]']])).toBe(false);
  for (const text of ['SELECT json_agg(n ORDER BY n) FROM x', 'SELECT list FROM x'])
    expect(isListedOtherwise(text, one, other)).toBe(false);
});
