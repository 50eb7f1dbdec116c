import type { PgText } from '../value.js';
import type { Accumulator, Folds } from './aggregate-state.js';

/** @param rarer those of the chunks that the plan names @returns undefined for what shows all its values */
export function foldOf(fn: string, rarer: Folds = {}): Folds[string] | undefined {
  return isCount(fn) ? () => new Count() : rarer[fn];
}

export function isCount(fn: string): boolean {
  return fn.startsWith('count');
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
