import type { Lsn } from '@sluice/core/lsn';
import { epochOf, lsnOf, spotOf, type Spot } from './spot.js';
import { NO_PLACE, type Span } from './version-log.js';

/** What there is to a feed whose last span is its last version, which still holds. */
export interface Standing {
  readonly n: number;
  /** As in `Feed`. */
  readonly edited: number;
  readonly bytes: number;
  /** Of the last version in the log; `NO_PLACE` once it is gone from there. */
  readonly place: number;
  /** Where the last version begins. */
  readonly from: Spot;
  readonly arrivedMs: number;
}

/*
 * A record: as long as a line of a processor's cache.
 *
 *   0        4     8      12       16      20      24    32      40           48
 *   │ holder │ n   │ told │ edited │ bytes │ epoch │ LSN │ place │ arrived at │
 *   └ 0: there is none
 */
const RECORD_BYTES = 64;
const WORDS = RECORD_BYTES / 4;
const LONGS = RECORD_BYTES / 8;
const [HOLDER, N, TOLD, EDITED, BYTES, EPOCH] = [0, 1, 2, 3, 4, 5];
const [LSN, PLACE, ARRIVED] = [3, 4, 5];
const RECORDS_MIN = 64;

/**
 * Views of which one connection is told, and was told all: by place. As long as nothing happens to such a view but that it
 * gets one more version, what there is to it is one record of bytes, beside those of all others, and neither its feed nor
 * its member is looked at: there may be very many, and of those that lie by themselves in memory each is waited for.
 */
export class RestingViews {
  #words = new Int32Array(RECORDS_MIN * WORDS);
  #lsns = new BigUint64Array(this.#words.buffer);
  #numbers = new Float64Array(this.#words.buffer);

  /** @param holder number of the connection, from 1 on; it was told the last version */
  put(view: number, holder: number, standing: Standing): void {
    while ((view + 1) * WORDS > this.#words.length) this.#grow();
    const at = view * WORDS;
    const words = this.#words;
    words[at + HOLDER] = holder;
    words[at + N] = words[at + TOLD] = standing.n;
    words[at + EDITED] = standing.edited;
    words[at + BYTES] = standing.bytes;
    this.#set(view, standing.from, standing.place, standing.arrivedMs);
  }

  /** The connection that the view rests with; 0: it does not. */
  holderOf(view: number): number {
    return this.#words[view * WORDS + HOLDER] ?? 0;
  }

  standingOf(view: number): Standing {
    const at = view * WORDS;
    const [n = 0, , edited = 0, bytes = 0, epoch = 0] = this.#words.subarray(at + N, at + N + EPOCH);
    const from = spotOf(epoch, this.lsnOf(view));
    const arrivedMs = this.#numbers[view * LONGS + ARRIVED] ?? 0;
    return { n, edited, bytes, place: this.placeOf(view), from, arrivedMs };
  }

  /** The last version. */
  versionOf(view: number): number {
    return this.#words[view * WORDS + N] ?? 0;
  }

  /** The version that the client was told. */
  toldOf(view: number): number {
    return this.#words[view * WORDS + TOLD] ?? 0;
  }

  /** Where the last version begins, but for the epoch. */
  lsnOf(view: number): Lsn {
    return this.#lsns[view * LONGS + LSN] as Lsn;
  }

  /** Of the last version in the log. */
  placeOf(view: number): number {
    return this.#numbers[view * LONGS + PLACE] ?? NO_PLACE;
  }

  /** It has one version more. */
  add(view: number, { from, arrivedMs, plain }: Span, place: number): void {
    const at = view * WORDS;
    const n = this.versionOf(view) + 1;
    this.#words[at + N] = n;
    if (plain === null) this.#words[at + EDITED] = n;
    this.#set(view, from, place, arrivedMs);
  }

  /** The last version is in the log again, or no more. */
  move(view: number, place: number): void {
    this.#numbers[view * LONGS + PLACE] = place;
  }

  /** What the log holds of it is more, or less. */
  weigh(view: number, bytes: number): void {
    const at = view * WORDS + BYTES;
    this.#words[at] = (this.#words[at] ?? 0) + bytes;
  }

  /** The client was told the last version. */
  tell(view: number): void {
    this.#words[view * WORDS + TOLD] = this.versionOf(view);
  }

  /** It rests no more. */
  remove(view: number): void {
    this.#words[view * WORDS + HOLDER] = 0;
  }

  #set(view: number, from: Spot, place: number, arrivedMs: number): void {
    this.#lsns[view * LONGS + LSN] = lsnOf(from);
    this.#words[view * WORDS + EPOCH] = epochOf(from);
    this.#numbers[view * LONGS + PLACE] = place;
    this.#numbers[view * LONGS + ARRIVED] = arrivedMs;
  }

  #grow(): void {
    const words = this.#words;
    this.#words = new Int32Array(2 * words.length);
    this.#words.set(words);
    this.#lsns = new BigUint64Array(this.#words.buffer);
    this.#numbers = new Float64Array(this.#words.buffer);
  }
}
