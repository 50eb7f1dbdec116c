import { must } from '../assert.js';
import { compareAscii } from '../engine/compare-text.js';
import { comparator, type TypeRules } from '../engine/compare.js';
import { notReproduced } from '../expression/errors.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { Accumulator } from './aggregate-state.js';
import { printsOneWay } from './one-way.js';
import { placeOf } from './row-order.js';

export const FOLDS = [
  'count_all',
  'count',
  'sum_int8',
  'sum_numeric',
  'min',
  'max',
  'bool_and',
  'bool_or',
  'bit_and',
  'bit_or',
  'bit_xor',
] as const;
export type FoldName = (typeof FOLDS)[number];

/** @param rarer those of the chunks that the plan names */
export function accumulator(
  name: FoldName,
  type: ValueType | undefined,
  rules: TypeRules,
  rarer: Readonly<Record<string, () => Accumulator>>,
): Accumulator {
  switch (name) {
    case 'count_all':
    case 'count':
      return new Count();
    case 'sum_int8':
      return new SumOfIntegers();
    case 'min':
    case 'max':
      return new Extreme(must(type, 'type'), name === 'min' ? 1 : -1, rules);
    case 'bool_and':
      return new Truths('f');
    case 'bool_or':
      return new Truths('t');
    default:
      return must(rarer[name], 'a plan names its chunks')();
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

/** How many of the best values are kept in order, so that it does not matter when some of them go. */
const BEST_MAX = 32;

/** The least, or with `direction` -1 the greatest. All are looked at again only when the best are used up. */
class Extreme implements Accumulator {
  readonly #compare: (left: string, right: string) => number;
  readonly #direction: 1 | -1;
  readonly #isOneWay: boolean;
  readonly #counts = new Map<string, number>();
  /** None of the others is before the last of them. */
  readonly #best: string[] = [];

  constructor(type: ValueType, direction: 1 | -1, rules: TypeRules) {
    this.#compare = comparator(type, rules);
    this.#isOneWay = printsOneWay(type);
    this.#direction = direction;
  }

  add(value: string): void {
    const count = this.#counts.get(value) ?? 0;
    const wereAll = this.#best.length === this.#counts.size;
    this.#counts.set(value, count + 1);
    if (count === 0) this.#take(value, wereAll);
  }

  remove(value: string): void {
    const count = must(this.#counts.get(value), 'what goes was there') - 1;
    if (count > 0) {
      this.#counts.set(value, count);
      return;
    }
    this.#counts.delete(value);
    const at = this.#best.indexOf(value);
    if (at >= 0) this.#best.splice(at, 1);
  }

  /** Which of several texts Postgres shows depends on the order in which it reads them. */
  result(): PgText {
    if (this.#best.length < Math.min(this.#counts.size, 2)) this.#fill();
    const [best, next] = this.#best;
    if (best === undefined) return null;
    if (!this.#isOneWay && next !== undefined && this.#compare(best, next) === 0)
      notReproduced('the least or greatest of values that are equal and print differently');
    return best;
  }

  #fill(): void {
    this.#best.length = 0;
    let all = true;
    for (const value of this.#counts.keys()) all = this.#take(value, all) && all;
  }

  /** @param all whether all others are among the best @returns whether all are */
  #take(value: string, all: boolean): boolean {
    const last = this.#best.at(-1);
    if (!all && last !== undefined && this.#order(value, last) > 0) return false;
    if (!all && last === undefined) return false;
    const at = placeOf(this.#best, (other) => this.#order(other, value) < 0);
    this.#best.splice(at, 0, value);
    if (this.#best.length <= BEST_MAX) return all;
    this.#best.pop();
    return false;
  }

  /** Equal values that print differently stand side by side. */
  #order(left: string, right: string): number {
    return this.#compare(left, right) * this.#direction || compareAscii(left, right);
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
