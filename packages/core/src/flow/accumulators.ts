import { must, unreachable } from '../assert.js';
import { comparator } from '../engine/compare.js';
import { parseDecimal, power10, printDecimal } from '../expression/decimal.js';
import { notReproduced } from '../expression/errors.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { printsOneWay } from './one-way.js';

/**
 * Aggregates that the order of their values is nothing to: what goes is taken off again, without looking at the
 * others. NULLs do not come.
 */
export interface Accumulator {
  add(value: string): void;
  remove(value: string): void;
  /** @throws NotReproduced when Postgres may show one of several texts */
  result(): PgText;
}

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

export function accumulator(name: FoldName, type: ValueType | undefined): Accumulator {
  switch (name) {
    case 'count_all':
    case 'count':
      return new Count();
    case 'sum_int8':
      return new SumOfIntegers();
    case 'sum_numeric':
      return new SumOfNumerics();
    case 'min':
    case 'max':
      return new Extreme(must(type, 'type'), name === 'min' ? 1 : -1);
    case 'bool_and':
      return new Truths('f');
    case 'bool_or':
      return new Truths('t');
    case 'bit_and':
    case 'bit_or':
    case 'bit_xor':
      return new Bits(name);
    default:
      return unreachable(name);
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

/** Has as many digits behind the point as the longest of its values. (numeric.c, `do_numeric_accum`) */
class SumOfNumerics implements Accumulator {
  /** By the number of digits behind the point. */
  readonly #sums = new Map<number, { count: number; digits: bigint }>();
  readonly #specials = new Map<string, number>();

  add(value: string): void {
    this.#change(value, 1);
  }

  remove(value: string): void {
    this.#change(value, -1);
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

  #change(value: string, by: 1 | -1): void {
    if (value === 'NaN' || value.endsWith('Infinity')) {
      const count = (this.#specials.get(value) ?? 0) + by;
      if (count === 0) this.#specials.delete(value);
      else this.#specials.set(value, count);
      return;
    }
    const { digits, scale } = parseDecimal(value);
    const sum = this.#sums.get(scale) ?? { count: 0, digits: 0n };
    sum.count += by;
    sum.digits += by === 1 ? digits : -digits;
    if (sum.count === 0) this.#sums.delete(scale);
    else this.#sums.set(scale, sum);
  }
}

/** The least, or with `direction` -1 the greatest. Values are kept with their numbers; the order is found when needed. */
class Extreme implements Accumulator {
  readonly #compare: (left: string, right: string) => number;
  readonly #direction: 1 | -1;
  readonly #isOneWay: boolean;
  readonly #counts = new Map<string, number>();
  #best: string | null = null;

  constructor(type: ValueType, direction: 1 | -1) {
    this.#compare = comparator(type);
    this.#isOneWay = printsOneWay(type);
    this.#direction = direction;
  }

  add(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
    if (this.#best === null ? this.#counts.size === 1 : this.#better(value, this.#best) < 0)
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
        if (this.#best === null || this.#better(value, this.#best) < 0) this.#best = value;
    if (this.#best !== null && !this.#isOneWay) this.#checkOneText(this.#best);
    return this.#best;
  }

  /** Which of several texts Postgres shows depends on the order in which it reads them. */
  #checkOneText(best: string): void {
    for (const value of this.#counts.keys())
      if (value !== best && this.#better(value, best) === 0)
        notReproduced('the least or greatest of values that are equal and print differently');
  }

  #better(value: string, than: string): number {
    return this.#compare(value, than) * this.#direction;
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

/** In all, in any, or in an odd number of the values. */
class Bits implements Accumulator {
  readonly #name: 'bit_and' | 'bit_or' | 'bit_xor';
  /** How many values have each bit of an int8; smaller integers repeat their sign. */
  readonly #ones = Array.from({ length: 64 }, () => 0);
  #count = 0;

  constructor(name: 'bit_and' | 'bit_or' | 'bit_xor') {
    this.#name = name;
  }

  add(value: string): void {
    this.#change(value, 1);
  }

  remove(value: string): void {
    this.#change(value, -1);
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

  #change(value: string, by: 1 | -1): void {
    this.#count += by;
    let rest = BigInt.asUintN(64, BigInt(value));
    for (let bit = 0; rest > 0n; bit++, rest >>= 1n)
      if ((rest & 1n) === 1n) this.#ones[bit] = (this.#ones[bit] ?? 0) + by;
  }
}
