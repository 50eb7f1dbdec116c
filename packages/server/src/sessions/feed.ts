import type { Shape } from '@sluice/core/shape';
import type { ViewId, WireError } from '@sluice/core/wire';
import type { Geared } from '../views/port.js';
import { lsnOf, type Spot } from './spot.js';

/*
 * What sessions remember of one view: its versions, each with the delta that leads to it, and the spans over which
 * the view is valid, each with its answer: a version or an error.
 *
 *   versions   n=1 ──delta──▶ n=2 ──delta──▶ n=3
 *   spans      [10 … 17] n=1   [25 … 30] n=1   [31 … 44] n=2   [52 … open) n=3
 *
 * Versions are numbered without holes while the chain holds. When it breaks (the view starts over), a number is left
 * out, so that no client from before can be continued by mistake. Memory is bounded by count, bytes and age: whoever
 * needs an older version gets whole rows or a difference instead.
 */

export interface Span {
  readonly from: Spot;
  /** Valid through here; null while it is valid up to the next span, or as far as the stream has come. */
  through: Spot | null;
  /** The version's number; for an error that of the last version before it. */
  readonly n: number;
  readonly error: WireError | null;
  readonly arrivedMs: number;
}

/** And the span that begins with it. */
export interface Version extends Span {
  readonly error: null;
  /** The encoded delta from the version before, with edits if there are any; null where the chain begins. */
  readonly delta: Uint8Array | null;
  /** The same without edits; null when nobody who takes no edits held the view then. */
  readonly plain: Uint8Array | null;
  /** Operations in the delta. */
  readonly count: number;
}

/** A version, whole: an encoded `rows` message. */
export interface Whole {
  readonly n: number;
  readonly at: Spot;
  readonly bytes: Uint8Array;
  readonly count: number;
}

export interface FeedBounds {
  readonly logVersionsMax: number;
  readonly logBytesMax: number;
  readonly logAgeMs: number;
}

export class Feed {
  readonly view: ViewId;
  readonly chain: string;
  /** Of the first who opened it: others may call its columns otherwise. */
  readonly shape: Shape;
  #geared: Geared;
  readonly #bounds: FeedBounds;
  readonly #versions: Version[] = [];
  readonly #spans: Span[] = [];
  #n = 0;
  /** The last version that only clients which take edits can be brought to by a delta. */
  #edited = 0;
  #bytes = 0;
  #whole: Whole | null = null;

  constructor(about: Pick<Feed, 'view' | 'chain' | 'shape' | 'geared'>, bounds: FeedBounds) {
    this.view = about.view;
    this.chain = about.chain;
    this.shape = about.shape;
    this.#geared = about.geared;
    this.#bounds = bounds;
  }

  /** How the view is maintained now. */
  get geared(): Geared {
    return this.#geared;
  }

  /** Bytes of the deltas held. */
  get bytes(): number {
    return this.#bytes;
  }

  get last(): Span | null {
    return this.#spans.at(-1) ?? null;
  }

  get latest(): Version | null {
    return this.#versions.at(-1) ?? null;
  }

  get whole(): Whole | null {
    return this.#whole;
  }

  // ------------------------------------------------------------ what the view says

  /** It is maintained otherwise from now on. */
  regear(geared: Geared): void {
    this.#geared = geared;
  }

  /** The first version, or the first of a new chain. */
  rows(at: Spot, bytes: Uint8Array, count: number, nowMs: number): void {
    this.#begin(at, nowMs);
    this.#whole = { n: this.#n, at, bytes, count };
  }

  /**
   * @param plain the delta without edits; null when it has some and nobody needs another.
   * @returns false when the delta does not continue the chain: whoever is behind it needs whole rows.
   */
  delta(
    from: Spot,
    to: Spot,
    delta: Uint8Array,
    plain: Uint8Array | null,
    count: number,
    nowMs: number,
  ): boolean {
    const { latest } = this;
    const chained = latest !== null && (latest.from === from || lsnOf(latest.from) === lsnOf(from));
    if (chained) {
      this.#n += 1;
      if (plain === null) this.#edited = this.#n;
      const version = versionOf(this.#n, to, { delta, plain, count }, nowMs);
      this.#bytes += bytesOf(version);
      this.#take(version);
    } else {
      this.#begin(to, nowMs);
    }
    this.#trim(nowMs);
    return chained;
  }

  gap(through: Spot): void {
    const last = this.#spans.at(-1);
    if (last === undefined || last.through !== null) return;
    if (through < last.from) this.#spans.pop();
    else last.through = through;
  }

  /** @returns whether that is news to who was told the last answer: it was an error. */
  again(from: Spot, nowMs: number): boolean {
    const failed = this.last !== null && this.last.error !== null;
    if (this.latest !== null)
      this.#answer({ from, through: null, n: this.latest.n, error: null, arrivedMs: nowMs });
    return failed;
  }

  error(from: Spot, error: WireError, nowMs: number): void {
    this.#answer({ from, through: null, n: this.#n, error, arrivedMs: nowMs });
  }

  /** The answer to a snapshot request. @returns null when it is of no version that is held. */
  answered(at: Spot, bytes: Uint8Array, count: number): Whole | null {
    // The version may be of an earlier epoch than the batch: its LSN tells, and it is the latest of that LSN.
    const version = this.#versions.findLast((one) => lsnOf(one.from) === lsnOf(at));
    if (version === undefined) return null;
    this.#whole = { n: version.n, at: version.from, bytes, count };
    return this.#whole;
  }

  forgetWhole(): void {
    this.#whole = null;
  }

  /** Drops all deltas but what the latest version stands on. */
  forgetLog(): void {
    while (this.#versions.length > 1) this.#drop();
  }

  // ------------------------------------------------------------ what a client may be sent

  /** Whether a client that holds version `n`, and takes edits or not, can be brought to the latest by deltas. */
  continues(n: number, edits: boolean): boolean {
    const first = this.#versions[0];
    if (!edits && n < this.#edited) return false;
    return first !== undefined && n <= this.#n && n >= (first.delta === null ? first.n : first.n - 1);
  }

  /** The versions after `n` up to and including `to`. */
  after(n: number, to: number): readonly Version[] {
    const first = this.#versions[0]?.n ?? 0;
    return this.#versions.slice(Math.max(0, n + 1 - first), Math.max(0, to + 1 - first));
  }

  version(n: number): Version | null {
    return this.#versions[n - (this.#versions[0]?.n ?? 0)] ?? null;
  }

  versionAt(at: Spot): Version | null {
    return this.#versions.findLast((version) => version.from === at) ?? null;
  }

  /** The latest span that begins at or before `p`. */
  spanAt(p: Spot): Span | null {
    for (let i = this.#spans.length - 1; i >= 0; i--) {
      const span = this.#spans[i];
      if (span !== undefined && span.from <= p) return span;
    }
    return null;
  }

  // ------------------------------------------------------------ inside

  /** A chain of its own. */
  #begin(at: Spot, nowMs: number): void {
    this.#n += this.#n === 0 ? 1 : 2;
    this.#versions.length = 0;
    this.#bytes = 0;
    this.#whole = null;
    this.#take(versionOf(this.#n, at, { delta: null, plain: null, count: 0 }, nowMs));
  }

  #take(version: Version): void {
    this.#versions.push(version);
    this.#answer(version);
  }

  #answer(span: Span): void {
    const { last } = this;
    if (last !== null && last.through === null && last.from >= span.from) this.#spans.pop();
    this.#spans.push(span);
    if (this.#spans.length > this.#bounds.logVersionsMax) this.#spans.shift();
  }

  #trim(nowMs: number): void {
    const { logVersionsMax, logBytesMax, logAgeMs } = this.#bounds;
    for (;;) {
      const first = this.#versions[0];
      if (first === undefined || this.#versions.length === 1) return;
      const old = nowMs - first.arrivedMs > logAgeMs;
      if (!old && this.#versions.length <= logVersionsMax && this.#bytes <= logBytesMax) return;
      this.#drop();
    }
  }

  #drop(): void {
    const first = this.#versions.shift();
    if (first === undefined) return;
    this.#bytes -= bytesOf(first);
    if (this.#whole !== null && this.#whole.n < first.n) this.#whole = null;
  }
}

function versionOf(
  n: number,
  from: Spot,
  { delta, plain, count }: Pick<Version, 'delta' | 'plain' | 'count'>,
  arrivedMs: number,
): Version {
  return { from, through: null, n, error: null, arrivedMs, delta, plain, count };
}

function bytesOf({ delta, plain }: Version): number {
  return (delta?.length ?? 0) + (plain === delta ? 0 : (plain?.length ?? 0));
}
