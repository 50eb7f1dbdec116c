import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NotReproduced } from '../expression/errors.js';
import {
  collationsOf,
  orderFunction,
  TextOrders,
  textFunction,
  tokensBetween,
  Unplaced,
} from './text-orders.js';

const NAME = '"pg_catalog"."de-x-icu"';

/** By length, then backwards: an order that bytes do not have. */
const compare = (a: string, b: string): number => a.length - b.length || (a < b ? 1 : a > b ? -1 : 0);
const call = (orders: TextOrders, fn: string, text: string): string | null =>
  orders.functions[fn]?.bind([], {})(text) ?? null;

function settle(orders: TextOrders): number {
  let rounds = 0;
  for (let questions = orders.questions(); questions.length > 0; questions = orders.questions()) {
    rounds++;
    for (const { collation, texts } of questions) {
      expect(texts.length).toBe(new Set(texts).size);
      orders.answer(collation, texts.toSorted(compare));
    }
  }
  return rounds;
}

test('tokens have the order that was told, however texts come, and go back to their texts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ maxLength: 4 }), { maxLength: 40 }), { maxLength: 12 }),
      (batches) => {
        const orders = new TextOrders([NAME], { textsMax: 10_000 });
        const given = new Map<string, string>();
        for (const batch of batches) {
          for (const text of batch)
            if (!given.has(text)) expect(() => call(orders, orderFunction(NAME), text)).toThrow(Unplaced);
          settle(orders);
          for (const text of batch) {
            const token = call(orders, orderFunction(NAME), text) ?? '';
            expect(given.get(text) ?? token).toBe(token);
            given.set(text, token);
            expect(call(orders, textFunction(NAME), token)).toBe(text);
          }
        }
        const byToken = [...given].toSorted(([, a], [, b]) => (a < b ? -1 : 1)).map(([text]) => text);
        expect(byToken).toEqual([...given.keys()].toSorted(compare));
      },
    ),
    { numRuns: 300 },
  );
});

test('a text finds its place among many in a few rounds', () => {
  const orders = new TextOrders([NAME], { textsMax: 1_000_000 });
  const want = (text: string): void =>
    void expect(() => call(orders, orderFunction(NAME), text)).toThrow(Unplaced);
  for (let at = 0; at < 50_000; at++) want(`t${at * 7}`);
  expect(settle(orders)).toBe(1);
  want('t3501');
  for (let at = 0; at < 20; at++) want(`u${at * 991}`);
  expect(settle(orders)).toBeLessThan(12);
  expect(call(orders, orderFunction(NAME), 't3501')).toMatch(/^\w{1,12}$/);
});

test('tokens stay short where texts come one behind the other', () => {
  let last: string | null = null;
  for (let at = 0; at < 100_000; at++) {
    const [next = ''] = tokensBetween(last, null, 1);
    expect(last === null || last < next).toBe(true);
    last = next;
  }
  expect(last?.length).toBe(6);
  let first: string | null = null;
  for (let at = 0; at < 1000; at++) {
    const [next = '']: readonly string[] = tokensBetween(null, first, 1);
    expect(first === null || next < first).toBe(true);
    first = next;
  }
  let low = '0000V';
  for (let at = 0; at < 500; at++) {
    const [next = ''] = tokensBetween(low, '0001', 1);
    expect(low < next && next < '0001').toBe(true);
    low = next;
  }
});

test('beyond the bound nothing is placed', () => {
  const orders = new TextOrders([NAME], { textsMax: 2 });
  for (const text of ['a', 'b']) expect(() => call(orders, orderFunction(NAME), text)).toThrow(Unplaced);
  expect(() => call(orders, orderFunction(NAME), 'c')).toThrow(NotReproduced);
  settle(orders);
  expect(() => call(orders, orderFunction(NAME), 'c')).toThrow(/more texts/);
  expect(call(orders, orderFunction(NAME), 'a')).not.toBeNull();
});

test('a plan names its collations', () => {
  expect(collationsOf({ a: [{ fn: orderFunction(NAME) }, { fn: 'text_lt' }] })).toEqual(new Set([NAME]));
});
