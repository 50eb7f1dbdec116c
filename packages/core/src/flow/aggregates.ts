import { must } from '../assert.js';
import { comparator, equalityKey } from '../engine/compare.js';
import type { Expression } from '../expression.js';
import { notReproduced } from '../expression/errors.js';
import type { PgText } from '../value.js';
import { accumulator, FOLDS, type Accumulator, type FoldName } from './accumulators.js';
import type { Compiled } from './compile.js';
import { listMaker } from './lists.js';
import type { Aggregate } from './plan.js';
import { Texts } from './one-text.js';
import { printsOneWay } from './one-way.js';
import { placeOf } from './row-order.js';
import { equality } from './row.js';

/** One aggregate of one group. */
export interface AggregateState {
  /** @param key of the joined tuple: no other has it */
  add(key: string, tuple: readonly PgText[]): void;
  remove(key: string, tuple: readonly PgText[]): void;
  result(): PgText;
}

export type AggregateFactory = () => AggregateState;

type Evaluated = (tuple: readonly PgText[]) => PgText;

/** @throws NotReproduced for types of which it is not maintained */
export function makeAggregate(
  plan: Aggregate,
  params: readonly PgText[],
  compile: (expression: Expression) => Compiled,
): AggregateFactory {
  const bind = (expression: Expression): Evaluated => {
    const compiled = compile(expression);
    return (tuple) => compiled(tuple, params);
  };
  const filter = plan.filter === null ? null : bind(plan.filter);
  const make = isFold(plan.fn)
    ? foldMaker(plan.fn, plan, bind)
    : listedMaker(plan, bind, stepOf(plan, compile));
  return filter === null ? make : () => new Filtered(make(), filter);
}

function stepOf(
  { step }: Aggregate,
  compile: (expression: Expression) => Compiled,
): ((state: PgText, value: PgText) => PgText) | null {
  if (step === undefined) return null;
  const compiled = compile(step);
  return (state, value) => compiled([state, value], []);
}

function isFold(fn: string): fn is FoldName {
  return (FOLDS as readonly string[]).includes(fn);
}

class Filtered implements AggregateState {
  readonly #inner: AggregateState;
  readonly #filter: Evaluated;

  constructor(inner: AggregateState, filter: Evaluated) {
    this.#inner = inner;
    this.#filter = filter;
  }

  add(key: string, tuple: readonly PgText[]): void {
    if (this.#filter(tuple) === 't') this.#inner.add(key, tuple);
  }

  remove(key: string, tuple: readonly PgText[]): void {
    if (this.#filter(tuple) === 't') this.#inner.remove(key, tuple);
  }

  result(): PgText {
    return this.#inner.result();
  }
}

function foldMaker(
  name: FoldName,
  plan: Aggregate,
  bind: (expression: Expression) => Evaluated,
): AggregateFactory {
  const [expression] = plan.args;
  const arg = expression === undefined ? null : bind(expression);
  const [type] = plan.types;
  const distinct = plan.distinct ? equalityKey(must(type, 'DISTINCT has an argument')) : null;
  return () => {
    const inner = accumulator(name, type);
    if (distinct === null) return new Fold(inner, arg);
    const isShown = name !== 'count' && type !== undefined && !printsOneWay(type);
    return new Fold(new Distinct(inner, distinct, isShown), arg);
  };
}

/** Evaluates the argument, and leaves NULLs out. Without an argument rows are counted. */
class Fold implements AggregateState {
  readonly #inner: Accumulator;
  readonly #arg: Evaluated | null;

  constructor(inner: Accumulator, arg: Evaluated | null) {
    this.#inner = inner;
    this.#arg = arg;
  }

  add(_key: string, tuple: readonly PgText[]): void {
    const value = this.#arg === null ? '' : this.#arg(tuple);
    if (value !== null) this.#inner.add(value);
  }

  remove(_key: string, tuple: readonly PgText[]): void {
    const value = this.#arg === null ? '' : this.#arg(tuple);
    if (value !== null) this.#inner.remove(value);
  }

  result(): PgText {
    return this.#inner.result();
  }
}

/** Each of equal values once. */
class Distinct implements Accumulator {
  readonly #inner: Accumulator;
  readonly #key: (value: string) => string;
  readonly #isShown: boolean;
  readonly #equal = new Map<string, { readonly texts: Texts; count: number; value: string }>();

  constructor(inner: Accumulator, key: (value: string) => string, isShown: boolean) {
    this.#inner = inner;
    this.#key = key;
    this.#isShown = isShown;
  }

  add(value: string): void {
    const key = this.#key(value);
    let equal = this.#equal.get(key);
    if (equal === undefined) {
      equal = { texts: new Texts(), count: 0, value };
      this.#equal.set(key, equal);
      this.#inner.add(value);
    }
    equal.count++;
    equal.texts.count([value], 1);
  }

  remove(value: string): void {
    const key = this.#key(value);
    const equal = must(this.#equal.get(key), 'what goes was there');
    equal.count--;
    equal.texts.count([value], -1);
    if (equal.count > 0) return;
    this.#equal.delete(key);
    this.#inner.remove(equal.value);
  }

  /** Values that are equal are one, and it matters which where they print differently. */
  result(): PgText {
    if (this.#isShown) for (const equal of this.#equal.values()) this.#settle(equal);
    return this.#inner.result();
  }

  #settle(equal: { readonly texts: Texts; value: string }): void {
    const value = equal.texts.one()?.[0] ?? equal.value;
    if (value === equal.value) return;
    this.#inner.remove(equal.value);
    this.#inner.add(value);
    equal.value = value;
  }
}

/** An element of a list: what it is ordered by, and the values of the arguments. */
interface Element {
  readonly key: string;
  readonly sort: readonly PgText[];
  readonly args: readonly PgText[];
}

interface Listing {
  readonly evaluate: (key: string, tuple: readonly PgText[]) => Element | null;
  readonly compare: (left: Element, right: Element) => number;
  /** Of equal elements the first stays; null: all do. DISTINCT orders by all arguments. */
  readonly same: ((element: Element) => string) | null;
  readonly print: (elements: readonly (readonly PgText[])[]) => PgText;
}

function listedMaker(
  plan: Aggregate,
  bind: (expression: Expression) => Evaluated,
  step: ((state: PgText, value: PgText) => PgText) | null,
): AggregateFactory {
  const args = plan.args.map(bind);
  const sort = plan.order.map(({ expression }) => bind(expression));
  const { skipsNull, print } = listMaker(plan.fn, plan.types, step);
  const parts = plan.order.map(({ type }) => equality(type));
  const listing: Listing = {
    evaluate: (key, tuple) => {
      const values = args.map((arg) => arg(tuple));
      if (skipsNull && (values[0] ?? null) === null) return null;
      return { key, sort: sort.map((one) => one(tuple)), args: values };
    },
    compare: ordering(plan.order),
    same: plan.distinct
      ? ({ sort: values }) => values.map((value, at) => parts[at]?.(value) ?? '-').join('')
      : null,
    print,
  };
  return () => new List(listing);
}

/** Ties are settled by the keys of the tuples, as an order that is left out is. */
function ordering(order: Aggregate['order']): (left: Element, right: Element) => number {
  const terms = order.map(({ term, type }) => ({ ...term, compare: comparator(type) }));
  return (left, right) => {
    for (const [at, { descending, nullsFirst, compare }] of terms.entries()) {
      const a = left.sort[at] ?? null;
      const b = right.sort[at] ?? null;
      if (a === b) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const one = compare(a, b);
      if (one !== 0) return descending ? -one : one;
    }
    return left.key < right.key ? -1 : left.key > right.key ? 1 : 0;
  };
}

/** What all values make together, in their order: made anew when one has changed. */
class List implements AggregateState {
  readonly #listing: Listing;
  readonly #elements: Element[] = [];

  constructor(listing: Listing) {
    this.#listing = listing;
  }

  add(key: string, tuple: readonly PgText[]): void {
    const element = this.#listing.evaluate(key, tuple);
    if (element !== null) this.#elements.splice(this.#placeOf(element), 0, element);
  }

  remove(key: string, tuple: readonly PgText[]): void {
    const element = this.#listing.evaluate(key, tuple);
    if (element !== null) this.#elements.splice(this.#placeOf(element), 1);
  }

  result(): PgText {
    const { same, print } = this.#listing;
    const elements = same === null ? this.#elements : firstOfSame(this.#elements, same);
    return elements.length === 0 ? null : print(elements.map(({ args }) => args));
  }

  #placeOf(element: Element): number {
    return placeOf(this.#elements, (other) => this.#listing.compare(other, element) < 0);
  }
}

function firstOfSame(elements: readonly Element[], same: (element: Element) => string): Element[] {
  const seen = new Map<string, Element>();
  for (const element of elements) {
    const key = same(element);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, element);
    else if (first.args.some((value, at) => value !== element.args[at]))
      notReproduced('which of equal values that print differently is shown');
  }
  return [...seen.values()];
}
