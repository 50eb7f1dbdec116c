import { expect, test } from 'vitest';
import { keyRows } from './keyed-rows.js';

const keysOf = (rows: { keyJson: string }[]): string[] => rows.map((row) => row.keyJson);

test('C16: rows are keyed by the columns that identify them, as long as they do', () => {
  const rows = [
    ['1', 'a'],
    ['2', null],
  ];
  expect(keyRows(rows, [0])).toMatchObject({ identified: true });
  expect(keysOf(keyRows(rows, [0]).rows)).toEqual(['"1"', '"2"']);
  expect(
    keyRows(
      [
        ['1', 'a'],
        ['1', 'b'],
      ],
      [0],
    ),
  ).toMatchObject({ identified: false });
  expect(
    keyRows(
      [
        [null, 'a'],
        [null, 'b'],
      ],
      [0],
    ),
  ).toMatchObject({ identified: false });
  expect(keyRows([['x']], [])).toMatchObject({ identified: true });
});

test('C16: rows without a key are keyed by their bytes and their occurrence, whatever the order they come in', () => {
  const one = keyRows([['a'], ['b'], ['a'], [null]], null);
  const other = keyRows([[null], ['a'], ['a'], ['b']], null);
  expect(one.identified).toBe(false);
  expect(new Set(keysOf(one.rows)).size).toBe(4);
  expect(keysOf(one.rows).toSorted()).toEqual(keysOf(other.rows).toSorted());
  const pairs = (rows: typeof one.rows): string[] => rows.map((row) => row.keyJson + row.json).toSorted();
  expect(pairs(one.rows)).toEqual(pairs(other.rows));
});

test('a NULL is not a text that looks like one', () => {
  expect(new Set(keysOf(keyRows([[null], ['null'], ['[null]']], [0]).rows)).size).toBe(3);
});
