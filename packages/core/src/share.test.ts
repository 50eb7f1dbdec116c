import fc from 'fast-check';
import { expect, test } from 'vitest';
import { share } from './share.js';

test('what equals stays the same object, as deep as it is; what does not is new', () => {
  const before = {
    id: 1,
    at: new Date(5),
    bytes: Uint8Array.of(1, 2),
    list: [{ a: 1 }, { b: [2] }],
    gone: 1,
  };
  const after = { id: 2, at: new Date(5), bytes: Uint8Array.of(1, 2), list: [{ a: 1 }, { b: [3] }] };
  const shared = share(before, after);
  expect(shared).toBe(after);
  expect(shared.at).toBe(before.at);
  expect(shared.bytes).toBe(before.bytes);
  expect(shared.list).not.toBe(before.list);
  expect(shared.list[0]).toBe(before.list[0]);
  expect(shared.list[1]).not.toBe(before.list[1]);
  expect(shared).toEqual({ ...after });
});

/** As JSON carries it: −0 becomes 0 there. */
const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));

test('any two values: the result equals the new one, and is the old one where they are equal', () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const text = JSON.stringify(after);
      expect(JSON.stringify(share(before, after))).toBe(text);
      if (typeof before === 'object' && JSON.stringify(before) === text)
        expect(share(before, JSON.parse(text))).toBe(before);
      const copy: unknown = JSON.parse(JSON.stringify(before));
      expect(share(before, copy)).toEqual(before);
    }),
  );
});

test('0 and −0 are two values: double precision shows the sign', () => {
  const before = [-0];
  expect(share(before, [0])).not.toBe(before);
  expect(share(before, [-0])).toBe(before);
});

test('arrays whose indexes start elsewhere are not shared; depth has an end', () => {
  const bounded = Object.defineProperty([1], 'lowerBounds', { value: [0] });
  expect(share(bounded, [1])).not.toBe(bounded);
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const [before, after] = [deep(5000), deep(5000)];
  expect(share(before, after)).toBe(after);
});
