import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textOf } from '../map-key.js';
import { isPacked, packed, partOf } from './packed.js';

const value = fc.option(fc.oneof(fc.integer().map(String), fc.constantFrom('', '007', '-0', 'a', '1.0')));
const row = fc.tuple(value, value, value);
const columns = fc.constantFrom<readonly number[]>([], [1], [2, 0], [0, 1, 2]);

test('some columns of a row are held as they are, and compared by their texts', () => {
  fc.assert(
    fc.property(columns, row, row, (some, one, other) => {
      const held = packed(some, one);
      expect(some.map((_, at) => textOf(partOf(held, at)))).toEqual(some.map((column) => one[column]));
      expect(isPacked(some, held, one)).toBe(true);
      const isSame = some.every((column) => one[column] === other[column]);
      expect(isPacked(some, held, other)).toBe(isSame);
    }),
  );
});

test('a value that is not known is another one than any', () => {
  expect(isPacked([0, 1], packed([0, 1], ['1', null]), ['1', undefined])).toBe(false);
  expect(isPacked([0], packed([0], ['1']), ['1', undefined])).toBe(true);
});
