import { must } from '../assert.js';
import { equalityKey } from '../engine/compare.js';
import type { PgText } from '../value.js';
import { accumulator, FOLDS, type FoldName } from './accumulators.js';
import type { Accumulator, AggregateFactory, AggregateState, Bind, Evaluated } from './aggregate-state.js';
import type { Compile, Pieces } from './compile.js';
import type { Aggregate } from './plan.js';
import { Texts } from './one-text.js';
import { printsOneWay } from './one-way.js';

/** @throws NotReproduced for types of which it is not maintained */
export function makeAggregate(
  plan: Aggregate,
  params: readonly PgText[],
  compile: Compile,
): AggregateFactory {
  const bind: Bind = (expression) => {
    const compiled = compile(expression);
    return (tuple) => compiled(tuple, params);
  };
  const filter = plan.filter === null ? null : bind(plan.filter);
  const make = isFold(plan.fn)
    ? foldMaker(plan.fn, plan, bind, compile.pieces)
    : must(compile.pieces.operators.lists, 'a plan names its chunks')(plan, bind, compile);
  return filter === null ? make : () => new Filtered(make(), filter);
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
  bind: Bind,
  { types: rules, operators }: Pieces,
): AggregateFactory {
  const [expression] = plan.args;
  const arg = expression === undefined ? null : bind(expression);
  const [type] = plan.types;
  const distinct = plan.distinct ? equalityKey(must(type, 'DISTINCT has an argument'), rules) : null;
  return () => {
    const inner = accumulator(name, type, rules, operators.folds ?? {});
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
