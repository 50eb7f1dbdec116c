import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NotReproduced } from '../expression/errors.js';
import { collationsOf, orderFunction, TextOrders, textFunction, tokensBetween } from './text-orders.js';
import { Unplaced } from './unplaced.js';

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

test('an heir has what is looked up, under the tokens that it had, and what comes later finds its place', () => {
  const texts = fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(fc.tuple(texts, texts), { maxLength: 6 }), (generations) => {
      let orders = new TextOrders([NAME], { textsMax: 10_000, spareTexts: 0 });
      let tokens = new Map<string, string>();
      for (const [come, stay] of generations) {
        for (const text of come)
          if (!tokens.has(text)) expect(() => call(orders, orderFunction(NAME), text)).toThrow(Unplaced);
        settle(orders);
        for (const text of come) tokens.set(text, call(orders, orderFunction(NAME), text) ?? '');
        const kept = stay.filter((text) => tokens.has(text));
        const heir = orders.heir();
        for (const text of kept) expect(call(heir, orderFunction(NAME), text)).toBe(tokens.get(text));
        heir.settle();
        expect(heir.textCount).toBe(kept.length);
        expect(heir.heldBytes > 0).toBe(kept.length > 0);
        for (const text of kept) expect(call(heir, textFunction(NAME), tokens.get(text) ?? '')).toBe(text);
        tokens = new Map(kept.map((text) => [text, tokens.get(text) ?? '']));
        const inOrder = [...tokens].toSorted(([, a], [, b]) => (a < b ? -1 : 1)).map(([text]) => text);
        expect(inOrder).toEqual(kept.toSorted(compare));
        orders = heir;
      }
    }),
    { numRuns: 300 },
  );
});

test('an heir is due at twice what was in use and some, or where half of the room is taken', () => {
  let orders = new TextOrders([NAME], { textsMax: 100, spareTexts: 10 });
  const place = (from: number, to: number): void => {
    for (let at = from; at < to; at++)
      expect(() => call(orders, orderFunction(NAME), `t${at}`)).toThrow(Unplaced);
    settle(orders);
  };
  const inherit = (count: number): void => {
    const heir = orders.heir();
    for (let at = 0; at < count; at++) call(heir, orderFunction(NAME), `t${at}`);
    heir.settle();
    orders = heir;
  };
  place(0, 10);
  expect([orders.isGrown, orders.isDue]).toEqual([true, false]);
  place(10, 11);
  expect(orders.isDue).toBe(true);
  const { heldBytes } = orders;
  inherit(11);
  expect([orders.isGrown, orders.isDue, orders.heldBytes]).toEqual([false, false, heldBytes]);
  place(11, 32);
  expect(orders.isDue).toBe(false);
  place(32, 33);
  expect(orders.isDue).toBe(true);
  place(33, 60);
  inherit(60);
  place(60, 90); // ten, and half of forty
  expect(orders.isDue).toBe(false);
  place(90, 91);
  expect(orders.isDue).toBe(true);
});

test('a plan names its collations', () => {
  expect(collationsOf({ a: [{ fn: orderFunction(NAME) }, { fn: 'text_lt' }] })).toEqual(new Set([NAME]));
});
