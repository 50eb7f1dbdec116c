import { parseDecimal, power10, printDecimal } from '../expression/decimal.js';
import type { PgText } from '../value.js';
import type { Accumulator } from './aggregate-state.js';

/** By the names of `FOLDS`. */
export const RARER_FOLDS: Readonly<Record<string, () => Accumulator>> = {
  sum_numeric: () => new SumOfNumerics(),
  bit_and: () => new Bits('bit_and'),
  bit_or: () => new Bits('bit_or'),
  bit_xor: () => new Bits('bit_xor'),
};

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
