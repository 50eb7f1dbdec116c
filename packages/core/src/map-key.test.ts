import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapKey, textOf } from './map-key.js';

test.each([
  ['0', 0],
  ['7', 7],
  ['100000', 100_000],
  ['999999999', 999_999_999],
])('%s is a number', (text, number) => {
  expect(mapKey(text)).toBe(number);
});

test.each([
  ['', '-', '-0', '007', '-01', '00', '1e3', '1.0', '+1', ' 1', '1 ', '0x1f', 'NaN', 'a', '١', '1_0'],
  ['-7', '1000000000', '2147483647', '2147483648', '-2147483648', '10000000000', '["1","2"]'],
])('not the text of a small number: %s', (...texts) => {
  for (const text of texts) expect(mapKey(text)).toBe(text);
});

test('NULL stays what it is', () => {
  expect(textOf(null)).toBe(null);
});

test('every text comes back from its key', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789-. e'), maxLength: 12 });
  const whole = fc.oneof(fc.integer(), fc.bigInt()).map(String);
  fc.assert(
    fc.property(fc.oneof(digits, whole, fc.string()), (text) => {
      const key = mapKey(text);
      expect(textOf(key)).toBe(text);
      if (typeof key === 'number') expect(Object.is(key, key | 0)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
