import type { WireError } from '@sluice/core/wire';
import type { Lsn } from '@sluice/core/lsn';
import { lsnOf, type Spot } from './spot.js';

/** A stretch of positions over which a view has one answer: a version or an error. */
export interface Span {
  /** The place of the view that it is of. */
  readonly view: number;
  readonly from: Spot;
  /** Valid through here; null while it is valid up to the next span, or as far as the stream has come. */
  through: Spot | null;
  /** The version's number; for an error that of the last version before it. */
  readonly n: number;
  readonly error: WireError | null;
  readonly arrivedMs: number;
  /** The place of the span before it. */
  readonly previous: number;
  /** The place of the version before it; as what is below, of a span that begins with a version. */
  readonly before: number;
  /** The encoded delta from that one, with edits if there are any; null where the chain begins. */
  readonly delta: Uint8Array | null;
  /** The same without edits; null when nobody who takes no edits held the view then. */
  readonly plain: Uint8Array | null;
  /** Operations in the delta. */
  readonly count: number;
}

export interface LogBounds {
  /** Of each span, since it came. */
  readonly logAgeMs: number;
  /** Of all together. */
  readonly logBytesTotalMax: number;
}

/** The place of what is not there. */
export const NO_PLACE = -1;

/** Of a span beside its deltas, by estimate. */
export const SPAN_BYTES = 256;
/** From so many places on that are empty, and most, the list is made anew. */
const EMPTY_MIN = 4096;
/** For so many places there is room at least. */
const PLACES_MIN = 1024;

/**
 * The spans of all views, in the order in which they came; the oldest go first. A view knows its own by their places, which
 * are numbers: what a change adds stands behind what the one before it added, and not with its view, of which there may be
 * very many, none of them in any cache. So nothing old comes to point at what is new but the end of this one list.
 */
export class VersionLog {
  readonly #bounds: LogBounds;
  readonly #gone: (place: number, span: Span) => void;
  #list: (Span | undefined)[] = [];
  /** Where each begins, but for the epoch: read without the span itself, which lies by itself somewhere. */
  #lsns = new BigUint64Array(PLACES_MIN);
  /** The place of the first in the list. */
  #base = 0;
  /** Where in the list the oldest is. */
  #oldest = 0;
  #bytes = 0;

  /** @param gone told of each span that the log lets go of, and where it was */
  constructor(bounds: LogBounds, gone: (place: number, span: Span) => void) {
    this.#bounds = bounds;
    this.#gone = gone;
  }

  /** By estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns its place */
  push(span: Span, nowMs: number): number {
    const at = this.#list.push(span) - 1;
    if (at === this.#lsns.length) this.#resize(2 * at);
    this.#lsns[at] = lsnOf(span.from);
    this.#bytes += bytesOf(span);
    this.#trim(nowMs);
    return this.#base + this.#list.length - 1;
  }

  /** Null once it is gone. */
  at(place: number): Span | null {
    return place < this.#base ? null : (this.#list[place - this.#base] ?? null);
  }

  /** Where the span begins that is there. */
  lsnAt(place: number): Lsn {
    return this.#lsns[place - this.#base] as Lsn;
  }

  /** Nobody asks for it any more. @returns the bytes that it took; 0 if it is gone */
  remove(place: number): number {
    const span = this.at(place);
    if (span === null) return 0;
    const bytes = bytesOf(span);
    this.#list[place - this.#base] = undefined;
    this.#bytes -= bytes;
    return bytes;
  }

  #trim(nowMs: number): void {
    const { logAgeMs, logBytesTotalMax } = this.#bounds;
    // The last one stays, whatever it takes: who pushes it does not know its place yet.
    for (; this.#oldest < this.#list.length - 1; this.#oldest++) {
      const span = this.#list[this.#oldest];
      if (span === undefined) continue;
      if (this.#bytes <= logBytesTotalMax && nowMs - span.arrivedMs <= logAgeMs) break;
      const place = this.#base + this.#oldest;
      this.remove(place);
      this.#gone(place, span);
    }
    if (this.#oldest < EMPTY_MIN || 2 * this.#oldest < this.#list.length) return;
    this.#list = this.#list.slice(this.#oldest);
    this.#lsns.copyWithin(0, this.#oldest);
    if (4 * this.#list.length < this.#lsns.length) this.#resize(this.#lsns.length / 2);
    this.#base += this.#oldest;
    this.#oldest = 0;
  }

  #resize(places: number): void {
    const lsns = this.#lsns.subarray(0, this.#list.length);
    this.#lsns = new BigUint64Array(places);
    this.#lsns.set(lsns);
  }
}

export function bytesOf({ delta, plain }: Span): number {
  return SPAN_BYTES + (delta?.length ?? 0) + (plain === delta ? 0 : (plain?.length ?? 0));
}
