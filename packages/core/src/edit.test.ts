import { expect, test } from 'vitest';
import { editRow } from './edit.js';

test('columns become what they are told to, others stay', () => {
  const row = ['1', 'a😀c', null, 'x'];
  const edits = [
    [
      1,
      [
        [0, 1, ''],
        [3, 1, 'd'],
        [4, 0, 'e'],
      ],
    ],
    [2, 'new'],
    [3, null],
  ] as const;
  expect(editRow(row, edits)).toEqual(['1', '😀de', 'new', null]);
  expect(row).toEqual(['1', 'a😀c', null, 'x']);
  expect(editRow(row, [])).toEqual(row);
});

test('splices of another text are refused', () => {
  expect(() => editRow(['abc'], [[0, [[2, 2, 'x']]]])).toThrow(SyntaxError);
  expect(() =>
    editRow(
      ['abc'],
      [
        [
          0,
          [
            [2, 0, 'x'],
            [1, 0, 'y'],
          ],
        ],
      ],
    ),
  ).toThrow(SyntaxError);
  expect(() => editRow([null], [[0, [[1, 0, 'x']]]])).toThrow(SyntaxError);
  expect(() => editRow([], [[0, [[0, 1, 'x']]]])).toThrow(SyntaxError);
});
