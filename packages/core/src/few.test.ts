import fc from 'fast-check';
import { expect, test } from 'vitest';
import { each, fewOf, hasOne, sizeOf, withOne, withoutOne, withOther, type Few } from './few.js';

/** As many that a list becomes a Set. */
const THINGS = Array.from({ length: 80 }, (_, at) => ({ at }));
const thing = fc.constantFrom(...THINGS);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('one'), one: thing }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('without'), one: thing }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('other'), one: thing, other: thing }) },
);

test('few are what a Set is', () => {
  fc.assert(
    fc.property(fc.array(step, { size: 'max', maxLength: 300 }), (steps) => {
      let few: Few<object> | undefined;
      const all = new Set<object>();
      for (const { kind, one, ...rest } of steps) {
        if (kind === 'one') {
          few = withOne(few, one);
          all.add(one);
        } else if (kind === 'without') {
          few = withoutOne(few, one);
          all.delete(one);
        } else if ('other' in rest && few !== undefined && all.has(one) && !all.has(rest.other)) {
          few = withOther(few, one, rest.other);
          all.delete(one);
          all.add(rest.other);
        }
        expect(sizeOf(few)).toBe(all.size);
        expect(new Set(each(few))).toEqual(all);
        expect(hasOne(few, one)).toBe(all.has(one));
      }
      expect(all.size === 0).toBe(few === undefined);
    }),
  );
});

test.each([0, 1, 2, 32, 33, 80])('%i things are taken as they are, in a list of their own', (count) => {
  const things = THINGS.slice(0, count);
  const few = fewOf(things);
  expect([sizeOf(few), [...each(few)]]).toEqual([count, things]);
  const more = withOne(few, { at: -1 });
  expect([sizeOf(more), things.length]).toEqual([count + 1, count]);
});
