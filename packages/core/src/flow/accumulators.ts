import { must } from '../assert.js';
import type { TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { Accumulator, Folds } from './aggregate-state.js';

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
  rarer: Folds,
): Accumulator {
  if (name === 'count' || name === 'count_all') return new Count();
  return must(rarer[name], 'a plan names its chunks')(type, rules);
}

class Count implements Accumulator {
  #count = 0;

  add(_value: string, times: number): void {
    this.#count += times;
  }

  remove(_value: string, times: number): void {
    this.#count -= times;
  }

  result(): PgText {
    return String(this.#count);
  }
}
