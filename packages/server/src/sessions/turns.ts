import type { Lsn } from '@sluice/core/lsn';
import { epochOf, lsnOf, SPOT_ZERO, spotOf, type Spot } from './spot.js';

/** The last of no views. */
const NO_VIEWS = -1;

/*
 * A record:
 *
 *   0      4       8       12   16    24
 *   │ last │ flags │ epoch │    │ LSN │
 *   └ of the views of which something came in this turn
 */
const RECORD_BYTES = 24;
const WORDS = RECORD_BYTES / 4;
const LONGS = RECORD_BYTES / 8;
const [LAST, FLAGS, EPOCH] = [0, 1, 2];
const LSN = 2;
const [EDITS, QUIET] = [1, 2];
const RECORDS_MIN = 64;

/**
 * Connections by number, as far as the way of most changes needs them (`quick-lane.ts`): one that is quiet has nothing to be
 * told but what came by the lane in this turn. Then neither it nor its mover nor any of their tables is looked at: each lies by
 * itself somewhere in memory, and this is one record among those of all others.
 */
export class Turns {
  #words = new Int32Array(RECORDS_MIN * WORDS);
  #lsns = new BigUint64Array(this.#words.buffer);
  /** Of which something came in this turn. */
  #numbers: number[] = [];
  readonly #views: number[] = [];
  /** The one before it of the same connection. */
  readonly #before: number[] = [];

  /** @param edits whether the client takes edits */
  open(number: number, edits: boolean): void {
    while ((number + 1) * WORDS > this.#words.length) this.#grow();
    this.#words[number * WORDS + LAST] = NO_VIEWS;
    this.#words[number * WORDS + FLAGS] = edits ? EDITS : 0;
    this.moveTo(number, SPOT_ZERO);
  }

  takesEdits(number: number): boolean {
    return (this.#flagsOf(number) & EDITS) !== 0;
  }

  isQuiet(number: number): boolean {
    return (this.#flagsOf(number) & QUIET) !== 0;
  }

  /** It was told all, waits for nothing, and reads what it is told. */
  quiet(number: number): void {
    this.#words[number * WORDS + FLAGS] = this.#flagsOf(number) | QUIET;
  }

  /** Something is to be looked at that did not come by the lane. */
  disturb(number: number): void {
    this.#words[number * WORDS + FLAGS] = this.#flagsOf(number) & ~QUIET;
  }

  /** What the client was told last. */
  positionOf(number: number): Spot {
    const lsn = this.#lsns[number * LONGS + LSN] as Lsn;
    return spotOf(this.#words[number * WORDS + EPOCH] ?? 0, lsn);
  }

  moveTo(number: number, at: Spot): void {
    this.#words[number * WORDS + EPOCH] = epochOf(at);
    this.#lsns[number * LONGS + LSN] = lsnOf(at);
  }

  /** Something came of a view by the lane. */
  came(number: number, view: number): void {
    const last = this.#words[number * WORDS + LAST] ?? NO_VIEWS;
    if (last === NO_VIEWS) this.#numbers.push(number);
    this.#before.push(last);
    this.#words[number * WORDS + LAST] = this.#views.push(view) - 1;
  }

  /** The connections of which something came. */
  numbers(): readonly number[] {
    const numbers = this.#numbers;
    this.#numbers = [];
    return numbers;
  }

  /** The views of which something came, in that order. */
  viewsOf(number: number): readonly number[] {
    const views: number[] = [];
    const last = this.#words[number * WORDS + LAST] ?? NO_VIEWS;
    for (let at = last; at !== NO_VIEWS; at = this.#before[at] ?? NO_VIEWS) views.push(this.#views[at] ?? 0);
    return views.length > 1 ? views.reverse() : views;
  }

  /** It was told of them, or is to be told otherwise. */
  settle(number: number): void {
    this.#words[number * WORDS + LAST] = NO_VIEWS;
  }

  /** The turn is over, for all that were settled. */
  clear(): void {
    if (this.#numbers.length > 0) return;
    this.#views.length = 0;
    this.#before.length = 0;
  }

  #flagsOf(number: number): number {
    return this.#words[number * WORDS + FLAGS] ?? 0;
  }

  #grow(): void {
    const words = this.#words;
    this.#words = new Int32Array(2 * words.length);
    this.#words.set(words);
    this.#lsns = new BigUint64Array(this.#words.buffer);
  }
}
