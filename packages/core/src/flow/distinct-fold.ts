import { must } from '../assert.js';
import { bytesOfEntry } from '../engine/held-bytes.js';
import type { PgText } from '../value.js';
import type { Accumulator } from './aggregate-state.js';
import { Texts } from './one-text.js';
import { printsOneWay } from './one-way.js';
import type { Aggregate } from './plan.js';

/** What is held of a value beside its text. */
const DISTINCT_BYTES = 160;

/** Each of equal values once. */
export class DistinctFold implements Accumulator {
  readonly #inner: Accumulator;
  readonly #key: (value: string) => string;
  readonly #isShown: boolean;
  readonly #equal = new Map<string, { readonly texts: Texts; count: number; value: string }>();
  /** What is inside holds the same values once more, at most. */
  heldBytes = 0;

  constructor(
    inner: Accumulator,
    key: (value: string) => string,
    { fn, types: [type] }: Pick<Aggregate, 'fn' | 'types'>,
  ) {
    this.#inner = inner;
    this.#key = key;
    this.#isShown = fn !== 'count' && type !== undefined && !printsOneWay(type);
  }

  add(value: string, times: number): void {
    const key = this.#key(value);
    let equal = this.#equal.get(key);
    if (equal === undefined) {
      equal = { texts: new Texts(), count: 0, value };
      this.#equal.set(key, equal);
      this.heldBytes += DISTINCT_BYTES + bytesOfEntry(key);
      this.#inner.add(value, 1);
    }
    equal.count += times;
    equal.texts.count([value], times);
  }

  remove(value: string, times: number): void {
    const key = this.#key(value);
    const equal = must(this.#equal.get(key), 'what goes was there');
    equal.count -= times;
    equal.texts.count([value], -times);
    if (equal.count > 0) return;
    this.#equal.delete(key);
    this.heldBytes -= DISTINCT_BYTES + bytesOfEntry(key);
    this.#inner.remove(equal.value, 1);
  }

  /** Values that are equal are one, and it matters which where they print differently. */
  result(): PgText {
    if (this.#isShown) for (const equal of this.#equal.values()) this.#settle(equal);
    return this.#inner.result();
  }

  #settle(equal: { readonly texts: Texts; value: string }): void {
    const value = equal.texts.one()?.[0] ?? equal.value;
    if (value === equal.value) return;
    this.#inner.remove(equal.value, 1);
    this.#inner.add(value, 1);
    equal.value = value;
  }
}
