import { digest } from '@sluice/core/digest';
import type { Position } from '@sluice/core/position';
import type { Row, RowKey } from '@sluice/core/value';
import type { Difference, Resume } from '@sluice/core/wire';
import { expect, test } from 'vitest';
import { difference } from './difference.js';
import { encode } from './encode.js';

const SEED = '000102030405060708090a0b0c0d0e0f';
const AT = '1.1:0/10' as Position;
type Keyed = readonly [RowKey, Row];
const list = (count: number): Keyed[] =>
  Array.from({ length: count }, (_, i) => [String(i), [String(i), 'x']]);

function mend(
  held: readonly Keyed[],
  rows: readonly Keyed[],
  ordered: boolean,
  count = held.length,
): Difference {
  const resume: Resume = { view: 'old', at: AT, ...digest(SEED, held, 4), count };
  const message = encode({ kind: 'rows', view: 'new', at: AT, rows });
  return JSON.parse(Buffer.from(difference(message, resume, SEED, ordered)).toString()) as Difference;
}

test('C15 a page more of a list is that page, without a word of the rows before it', () => {
  const { buckets, rows, order } = mend(list(50), list(100), true);
  expect([buckets, order]).toEqual([[], undefined]);
  expect(rows).toEqual(list(100).slice(50));
});

test('C15 what changed among the rows before it is mended by buckets', () => {
  const longer = list(100).map((row, i): Keyed => (i === 7 ? ['7', ['7', 'y']] : row));
  const { buckets, rows, order } = mend(list(50), longer, true);
  expect([buckets.length, order]).toEqual([1, undefined]);
  expect(rows).toContainEqual(longer[7]);
  expect(rows.slice(-50)).toEqual(longer.slice(50));
});

test('C15 a row that moved to the new page arranges all of them', () => {
  const longer = [...list(100).filter(([key]) => key !== '7'), ['7', ['7', 'x']] as const];
  const { order, rows } = mend(list(50), longer, true);
  expect(order).toEqual(longer.map(([key]) => key));
  expect(rows.slice(-50)).toEqual(longer.slice(50));
});

test('C15 a shorter list is compared whole; so is one without an order', () => {
  expect(mend(list(50), list(20), true).rows.length).toBeLessThanOrEqual(20);
  expect(mend(list(50), list(20), true).order).toEqual(list(20).map(([key]) => key));
  expect(mend(list(50), list(50), false)).toMatchObject({ buckets: [], rows: [] });
  expect(mend(list(50), list(100), false).rows).toHaveLength(100);
});
