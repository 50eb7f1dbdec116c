import { must } from '../assert.js';
import { compareAscii } from '../engine/compare-text.js';
import { comparator, type TypeRules } from '../engine/compare.js';
import { bytesOfEntry } from '../engine/held-bytes.js';
import { parseDecimal, power10, printDecimal } from '../expression/decimal.js';
import { notReproduced } from '../expression/errors.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { Accumulator, Folds } from './aggregate-state.js';
import { printsOneWay } from './one-way.js';
import { placeOf } from './row-order.js';

export const RARER_FOLDS: Folds = {
  min: (type, rules) => new Extreme(must(type, 'type'), 1, rules),
  max: (type, rules) => new Extreme(must(type, 'type'), -1, rules),
  bool_and: () => new Truths('f'),
  bool_or: () => new Truths('t'),
  sum_int8: () => new SumOfIntegers(),
  sum_numeric: () => new SumOfNumerics(),
  bit_and: () => new Bits('bit_and'),
  bit_or: () => new Bits('bit_or'),
  bit_xor: () => new Bits('bit_xor'),
};

class SumOfIntegers implements Accumulator {
  #count = 0;
  #sum = 0n;

  add(value: string, times: number): void {
    this.#count += times;
    this.#sum += BigInt(value) * BigInt(times);
  }

  remove(value: string, times: number): void {
    this.#count -= times;
    this.#sum -= BigInt(value) * BigInt(times);
  }

  result(): PgText {
    return this.#count === 0 ? null : String(this.#sum);
  }
}

/** Has as many digits behind the point as the longest of its values. (numeric.c, `do_numeric_accum`) */
class SumOfNumerics implements Accumulator {
  /** By the number of digits behind the point. */
  readonly #sums = new Map<number, { count: number; digits: bigint }>();
  readonly #specials = new Map<string, number>();

  add(value: string, times: number): void {
    this.#change(value, times);
  }

  remove(value: string, times: number): void {
    this.#change(value, -times);
  }

  result(): PgText {
    if (this.#specials.size > 0) return this.#special();
    if (this.#sums.size === 0) return null;
    const scale = Math.max(...this.#sums.keys());
    let digits = 0n;
    for (const [own, sum] of this.#sums) digits += sum.digits * power10(scale - own);
    return printDecimal({ digits, scale });
  }

  #special(): string {
    const [first, ...more] = this.#specials.keys();
    return more.length > 0 ? 'NaN' : (first ?? 'NaN');
  }

  #change(value: string, by: number): void {
    if (value === 'NaN' || value.endsWith('Infinity')) {
      const count = (this.#specials.get(value) ?? 0) + by;
      if (count === 0) this.#specials.delete(value);
      else this.#specials.set(value, count);
      return;
    }
    const { digits, scale } = parseDecimal(value);
    const sum = this.#sums.get(scale) ?? { count: 0, digits: 0n };
    sum.count += by;
    sum.digits += digits * BigInt(by);
    if (sum.count === 0) this.#sums.delete(scale);
    else this.#sums.set(scale, sum);
  }
}

/** In all, in any, or in an odd number of the values. */
class Bits implements Accumulator {
  readonly #name: 'bit_and' | 'bit_or' | 'bit_xor';
  /** How many values have each bit of an int8; smaller integers repeat their sign. */
  readonly #ones = Array.from({ length: 64 }, () => 0);
  #count = 0;

  constructor(name: 'bit_and' | 'bit_or' | 'bit_xor') {
    this.#name = name;
  }

  add(value: string, times: number): void {
    this.#change(value, times);
  }

  remove(value: string, times: number): void {
    this.#change(value, -times);
  }

  result(): PgText {
    if (this.#count === 0) return null;
    const bits = this.#ones.reduce(
      (sum, ones, bit) => (this.#has(ones) ? sum | (1n << BigInt(bit)) : sum),
      0n,
    );
    return String(BigInt.asIntN(64, bits));
  }

  #has(ones: number): boolean {
    if (this.#name === 'bit_xor') return ones % 2 === 1;
    return this.#name === 'bit_or' ? ones > 0 : ones === this.#count;
  }

  #change(value: string, by: number): void {
    this.#count += by;
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let bit = 0; rest > 0n; bit++, rest >>= 1n)
      if ((rest & 1n) === 1n) this.#ones[bit] = (this.#ones[bit] ?? 0) + by;
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
  heldBytes = 0;

  constructor(type: ValueType, direction: 1 | -1, rules: TypeRules) {
    this.#compare = comparator(type, rules);
    this.#isOneWay = printsOneWay(type);
    this.#direction = direction;
  }

  add(value: string, times: number): void {
    const count = this.#counts.get(value) ?? 0;
    const wereAll = this.#best.length === this.#counts.size;
    this.#counts.set(value, count + times);
    if (count > 0) return;
    this.heldBytes += bytesOfEntry(value);
    this.#take(value, wereAll);
  }

  remove(value: string, times: number): void {
    const count = must(this.#counts.get(value), 'what goes was there') - times;
    if (count > 0) {
      this.#counts.set(value, count);
      return;
    }
    this.#counts.delete(value);
    this.heldBytes -= bytesOfEntry(value);
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

  add(value: string, times: number): void {
    if (value === this.#decisive) this.#decisives += times;
    else this.#others += times;
  }

  remove(value: string, times: number): void {
    this.add(value, -times);
  }

  result(): PgText {
    if (this.#decisives > 0) return this.#decisive;
    return this.#others === 0 ? null : this.#decisive === 't' ? 'f' : 't';
  }
}
