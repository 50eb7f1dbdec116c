import { must, unreachable } from '../assert.js';
import { comparator } from '../engine/compare.js';
import type { Expression } from '../expression.js';
import type { Compiled } from './compile.js';
import type { PgText } from '../value.js';
import type { Aggregate } from './plan.js';
import { equality } from './row.js';

/** One aggregate of one group. */
export interface AggregateState {
  /** @param key of the joined tuple: no other has it */
  add(key: string, tuple: readonly PgText[]): void;
  remove(key: string, tuple: readonly PgText[]): void;
  result(): PgText;
}

export type AggregateFactory = () => AggregateState;

/** What one accumulates of the values of its argument; NULLs do not come. */
interface Accumulator {
  add(value: string): void;
  remove(value: string): void;
  result(): PgText;
}

export const AGGREGATES = ['count_all', 'count', 'sum_int8', 'min', 'max', 'bool_and', 'bool_or'] as const;
export type AggregateName = (typeof AGGREGATES)[number];

export function makeAggregate(
  plan: Aggregate,
  params: readonly PgText[],
  compile: (expression: Expression) => Compiled,
): AggregateFactory {
  const filter = plan.filter === null ? null : compile(plan.filter);
  const arg = plan.args[0] === undefined ? null : compile(plan.args[0]);
  const type = plan.types[0];
  const distinct = plan.distinct ? equality(must(type, 'DISTINCT has an argument')) : null;
  return () => {
    const inner = accumulator(plan);
    const accumulates = distinct === null ? inner : new Distinct(inner, distinct);
    return new Filtered(accumulates, arg, filter, params);
  };
}

function accumulator(plan: Aggregate): Accumulator {
  const name = plan.fn as AggregateName;
  switch (name) {
    case 'count_all':
    case 'count':
      return new Count();
    case 'sum_int8':
      return new SumOfIntegers();
    case 'min':
    case 'max':
      return new Extreme(comparator(must(plan.types[0], 'type')), name === 'min' ? 1 : -1);
    case 'bool_and':
      return new Truths('f');
    case 'bool_or':
      return new Truths('t');
    default:
      return unreachable(name);
  }
}

/** Evaluates FILTER and the argument, and leaves NULLs out. */
class Filtered implements AggregateState {
  readonly #inner: Accumulator;
  readonly #arg: Compiled | null;
  readonly #filter: Compiled | null;
  readonly #params: readonly PgText[];

  constructor(inner: Accumulator, arg: Compiled | null, filter: Compiled | null, params: readonly PgText[]) {
    this.#inner = inner;
    this.#arg = arg;
    this.#filter = filter;
    this.#params = params;
  }

  add(_key: string, tuple: readonly PgText[]): void {
    const value = this.#valueOf(tuple);
    if (value !== null) this.#inner.add(value);
  }

  remove(_key: string, tuple: readonly PgText[]): void {
    const value = this.#valueOf(tuple);
    if (value !== null) this.#inner.remove(value);
  }

  result(): PgText {
    return this.#inner.result();
  }

  #valueOf(tuple: readonly PgText[]): PgText {
    if (this.#filter !== null && this.#filter(tuple, this.#params) !== 't') return null;
    return this.#arg === null ? '' : this.#arg(tuple, this.#params);
  }
}

/** Each of equal values once. */
class Distinct implements Accumulator {
  readonly #inner: Accumulator;
  readonly #key: (value: PgText) => string | null;
  readonly #counts = new Map<string, number>();

  constructor(inner: Accumulator, key: (value: PgText) => string | null) {
    this.#inner = inner;
    this.#key = key;
  }

  add(value: string): void {
    const key = this.#key(value) ?? '';
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    if (count === 0) this.#inner.add(value);
  }

  remove(value: string): void {
    const key = this.#key(value) ?? '';
    const count = must(this.#counts.get(key), 'what goes was there') - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
    if (count === 0) this.#inner.remove(value);
  }

  result(): PgText {
    return this.#inner.result();
  }
}

class Count implements Accumulator {
  #count = 0;

  add(): void {
    this.#count++;
  }

  remove(): void {
    this.#count--;
  }

  result(): PgText {
    return String(this.#count);
  }
}

class SumOfIntegers implements Accumulator {
  #count = 0;
  #sum = 0n;

  add(value: string): void {
    this.#count++;
    this.#sum += BigInt(value);
  }

  remove(value: string): void {
    this.#count--;
    this.#sum -= BigInt(value);
  }

  result(): PgText {
    return this.#count === 0 ? null : String(this.#sum);
  }
}

/** The least, or with `direction` -1 the greatest. Values are kept with their numbers; the order is found when needed. */
class Extreme implements Accumulator {
  readonly #compare: (left: string, right: string) => number;
  readonly #direction: 1 | -1;
  readonly #counts = new Map<string, number>();
  #best: string | null = null;

  constructor(compare: (left: string, right: string) => number, direction: 1 | -1) {
    this.#compare = compare;
    this.#direction = direction;
  }

  add(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
    if (this.#counts.size === 1 || (this.#best !== null && this.#isBetter(value, this.#best)))
      this.#best = value;
  }

  remove(value: string): void {
    const count = must(this.#counts.get(value), 'what goes was there') - 1;
    if (count > 0) this.#counts.set(value, count);
    else this.#counts.delete(value);
    if (count === 0 && value === this.#best) this.#best = null;
  }

  result(): PgText {
    if (this.#best === null)
      for (const value of this.#counts.keys())
        if (this.#best === null || this.#isBetter(value, this.#best)) this.#best = value;
    return this.#best;
  }

  #isBetter(value: string, than: string): boolean {
    return this.#compare(value, than) * this.#direction < 0;
  }
}

/** `bool_and`: false when any is; `bool_or`: true when any is. */
class Truths implements Accumulator {
  readonly #decisive: 't' | 'f';
  #decisives = 0;
  #others = 0;

  constructor(decisive: 't' | 'f') {
    this.#decisive = decisive;
  }

  add(value: string): void {
    if (value === this.#decisive) this.#decisives++;
    else this.#others++;
  }

  remove(value: string): void {
    if (value === this.#decisive) this.#decisives--;
    else this.#others--;
  }

  result(): PgText {
    if (this.#decisives > 0) return this.#decisive;
    return this.#others === 0 ? null : this.#decisive === 't' ? 'f' : 't';
  }
}
