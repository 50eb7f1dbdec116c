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

interface Child {
  readonly id: number;
  readonly at: Date;
  readonly by: { readonly name: string };
  readonly size: bigint;
}

const child = (id: number, name: string = `n${id % 3}`): Child => ({
  id,
  at: new Date(id),
  by: { name },
  size: BigInt(id),
});
const children = (ids: readonly number[]): Child[] => ids.map((id) => child(id));

test('elements of a list stay who they are when others come, go, change or change places', () => {
  const ids = fc.shuffledSubarray([...Array(12).keys()]);
  fc.assert(
    fc.property(ids, ids, fc.constantFrom(...Array(12).keys()), (old, fresh, changed) => {
      const before = { list: children(old) };
      const list = fresh.map((id) => (id === changed ? child(id, 'changed') : child(id)));
      const shared = share(before, { list });
      expect(shared.list).toEqual(fresh.map((id) => (id === changed ? child(id, 'changed') : child(id))));
      expect(before.list).toEqual(children(old));
      for (const [index, id] of fresh.entries()) {
        const place = old.indexOf(id);
        if (id !== changed && place >= 0) expect(shared.list[index]).toBe(before.list[place]);
      }
      if (!fresh.includes(changed) && String(old) === String(fresh)) expect(shared).toBe(before);
    }),
    { numRuns: 1000 },
  );
});

test('of an element that changes beside others that come, the parts stay that do not change', () => {
  const before = children([1, 2, 3]);
  const after = share(before, [child(0), child(1), { ...child(2), size: 5n }, child(3), child(4)]);
  expect(after[1]).toBe(before[0]);
  expect(after[2]).not.toBe(before[1]);
  expect(after[2]?.by).toBe(before[1]?.by);
  expect(after[3]).toBe(before[2]);
});

/** As the rows of an application may be: nothing of what it holds is written to. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}

test('any two lists: the result equals the new one, and what was held is not written to', () => {
  const lists = fc.array(fc.oneof(json, fc.constantFrom([], {}, { a: [{}] }, [[1], [1]])), { maxLength: 8 });
  fc.assert(
    fc.property(lists, lists, (before, fresh) => {
      const text = JSON.stringify(fresh);
      const held = frozen(JSON.parse(JSON.stringify(before)));
      expect(JSON.stringify(share(held, JSON.parse(text)))).toBe(text);
      const more = [...(JSON.parse(text) as unknown[]), ...(JSON.parse(JSON.stringify(before)) as unknown[])];
      expect(JSON.stringify(share(held, more))).toBe(JSON.stringify([...fresh, ...before]));
    }),
    { numRuns: 2000 },
  );
});

test('a thousand elements, one of them new: nobody but that one is new', () => {
  const ids = [...Array(1000).keys()];
  const before = children(ids);
  for (const at of [0, 1, 500, 999, 1000]) {
    const after = share(before, children(ids.toSpliced(at, 0, 5000)));
    expect(after.filter((one) => !before.includes(one)).map(({ id }) => id)).toEqual([5000]);
    const less = share(before, children(ids.filter((id) => id !== at)));
    expect(less.every((one) => before.includes(one))).toBe(true);
  }
  const reversed = share(before, children(ids.toReversed()));
  expect(reversed).toEqual(before.toReversed());
  expect(reversed.every((one, index) => one === before[999 - index])).toBe(true);
});

test('elements that look alike are not taken for one another: halves of a second, numbers and texts, bytes', () => {
  const before = [[new Date(1)], [1], [Uint8Array.of(1)], [null], [{ toString: 1 }]];
  const fresh = (): unknown[] => [
    [{ toString: 1 }],
    [null],
    [Uint8Array.of(1)],
    ['1'],
    [new Date(1)],
    [new Date(2)],
  ];
  const after = share<unknown[]>(before, fresh());
  expect(after).toEqual(fresh());
  expect(after.slice(0, 2)).toEqual([before[4], before[3]]);
  expect(share<unknown[]>(before, [[1], ...fresh()])).toEqual([[1], ...fresh()]);
});
