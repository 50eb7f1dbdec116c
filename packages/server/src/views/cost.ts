import type { Observed, Timing } from '@sluice/core/explanation';
import type { ChangesByTable } from './table-changes.js';

/** Four steps to each doubling, from a microsecond to hours. */
const STEPS = 4;
const BUCKETS = 128;
const US_PER_MS = 1_000;

/** How long things took: a sum and a histogram of logarithms, so that to note one allocates nothing. */
export class Durations {
  #count = 0;
  #totalMs = 0;
  readonly #buckets = new Uint32Array(BUCKETS);

  note(ms: number): void {
    this.#count++;
    this.#totalMs += ms;
    const step = Math.ceil(Math.log2(Math.max(1, ms * US_PER_MS)) * STEPS);
    const at = Math.min(BUCKETS - 1, step);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
  }

  add(other: Durations): void {
    this.#count += other.#count;
    this.#totalMs += other.#totalMs;
    other.#buckets.forEach((count, at) => (this.#buckets[at] = (this.#buckets[at] ?? 0) + count));
  }

  get timing(): Timing {
    return { count: this.#count, totalMs: this.#totalMs, p95Ms: this.#count === 0 ? null : this.#p95Ms() };
  }

  /** The upper end of the step that it falls into. */
  #p95Ms(): number {
    let left = Math.ceil(0.95 * this.#count);
    const at = this.#buckets.findIndex((count) => (left -= count) <= 0);
    return 2 ** (at / STEPS) / US_PER_MS;
  }
}

/** What the views of one template have cost since the first was opened. */
export class Cost {
  changes = 0;
  misses = 0;
  readonly #unsent = new Map<number, number>();
  toldRows = 0;
  toldBytes = 0;
  readonly transactions: Durations = new Durations();
  readonly hydrations: Durations = new Durations();
  readonly reruns: Durations = new Durations();

  /** A transaction's changes of some tables are to be followed. */
  touched(changes: ChangesByTable, tables: readonly number[]): void {
    for (const table of tables) this.changes += changes.get(table)?.changes.length ?? 0;
  }

  /** A view missed. @param unsent relations of which values were not sent that it wanted */
  missed(unsent: Iterable<number>): void {
    this.misses++;
    for (const relation of unsent) this.#unsent.set(relation, (this.#unsent.get(relation) ?? 0) + 1);
  }

  /** Rows, or operations on rows, went out to whoever holds the view: encoded once. */
  told(rows: number, bytes: number): void {
    this.toldRows += rows;
    this.toldBytes += bytes;
  }

  add(other: Cost): void {
    this.changes += other.changes;
    this.misses += other.misses;
    for (const [relation, misses] of other.#unsent)
      this.#unsent.set(relation, (this.#unsent.get(relation) ?? 0) + misses);
    this.toldRows += other.toldRows;
    this.toldBytes += other.toldBytes;
    this.transactions.add(other.transactions);
    this.hydrations.add(other.hydrations);
    this.reruns.add(other.reruns);
  }

  get totals(): CostTotals {
    const { changes, misses, toldRows, toldBytes } = this;
    return {
      changes,
      misses,
      unsent: Array.from(this.#unsent, ([relation, misses]) => ({ relation, misses })),
      transactions: this.transactions.timing,
      hydrations: this.hydrations.timing,
      reruns: this.reruns.timing,
      toldRows,
      toldBytes,
    };
  }
}

/** Plain data. */
export interface CostTotals extends Pick<
  Observed,
  'changes' | 'misses' | 'transactions' | 'hydrations' | 'reruns' | 'toldRows' | 'toldBytes'
> {
  /** Of the misses those for want of values that the stream does not send, by relation (oid). */
  readonly unsent: readonly { readonly relation: number; readonly misses: number }[];
}
