import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mapKey } from './map-key.js';
import { NumberMap } from './number-map.js';

interface Row {
  readonly text: string;
}

test('it holds what a Map holds, whatever comes and goes', () => {
  // Few numbers, so that they meet; large ones; neighbours; texts.
  const key = fc.oneof(
    fc.integer({ min: 0, max: 40 }).map(String),
    fc.integer({ min: 0, max: 999_999_999 }).map(String),
    fc.constantFrom('0', '00', '999999999', '1000000000', '-1', '', 'a'),
  );
  const step = fc.record({ key, isGone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const [own, model] = [new NumberMap<Row>(), new Map<string, Row>()];
      for (const { key: text, isGone } of steps) {
        if (isGone) expect(own.delete(mapKey(text))).toBe(model.delete(text));
        else {
          const row = { text };
          own.set(mapKey(text), row);
          model.set(text, row);
        }
        expect(own.size).toBe(model.size);
      }
      for (const { key: text } of steps) expect(own.get(mapKey(text))).toBe(model.get(text));
      expect(new Set(own.values())).toEqual(new Set(model.values()));
    }),
    { numRuns: 300 },
  );
});

test('it grows to many and shrinks to none, and finds each in between', () => {
  const map = new NumberMap<Row>();
  const rows = Array.from({ length: 5_000 }, (_, n): Row => ({ text: String(n * 16) }));
  for (const [n, row] of rows.entries()) {
    map.set(n * 16, row);
    if (n % 100 === 0) for (let at = 0; at <= n; at++) expect(map.get(at * 16)).toBe(rows[at]);
  }
  expect([map.size, map.get(1), map.delete(1)]).toEqual([5_000, undefined, false]);
  for (let n = 4_999; n >= 0; n--) {
    expect(map.delete(n * 16)).toBe(true);
    if (n % 100 === 0) for (let at = 0; at < n; at++) expect(map.get(at * 16)).toBe(rows[at]);
  }
  expect([map.size, [...map.values()]]).toEqual([0, []]);
  for (const [n, row] of rows.entries()) map.set(n, row);
  map.set('a', rows[0] as Row);
  map.clear();
  expect([map.size, map.get(0), map.get('a'), [...map.values()]]).toEqual([0, undefined, undefined, []]);
});
