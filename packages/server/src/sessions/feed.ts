import type { Lsn } from '@sluice/core/lsn';
import type { Shape } from '@sluice/core/shape';
import type { ViewId, WireError } from '@sluice/core/wire';
import type { Geared } from '../views/port.js';
import type { Standing } from './resting.js';
import { lsnOf, type Spot } from './spot.js';
import { bytesOf, NO_PLACE, type Span, type VersionLog } from './version-log.js';

/*
 * What sessions remember of one view: its versions, each with the delta that leads to it, and the spans over which
 * the view is valid, each with its answer: a version or an error.
 *
 *   versions   n=1 ──delta──▶ n=2 ──delta──▶ n=3
 *   spans      [10 … 17] n=1   [25 … 30] n=1   [31 … 44] n=2   [52 … open) n=3
 *
 * Versions are numbered without holes while the chain holds. When it breaks (the view starts over), a number is left
 * out, so that no client from before can be continued by mistake. They are held in the log of all views, which bounds
 * them by bytes and age: whoever needs an older version gets whole rows or a difference instead.
 */

/** A version, whole: an encoded `rows` message. */
export interface Whole {
  readonly n: number;
  readonly at: Spot;
  readonly bytes: Uint8Array;
  readonly count: number;
}

export interface FeedBounds {
  /** Of one view: further back nobody is brought on by deltas. */
  readonly logVersionsMax: number;
  readonly logBytesMax: number;
}

export class Feed {
  readonly view: ViewId;
  /** Where entries find it. */
  readonly place: number;
  readonly chain: string;
  /** Of the first who opened it: others may call its columns otherwise. */
  readonly shape: Shape;
  #geared: Geared;
  readonly #bounds: FeedBounds;
  readonly #log: VersionLog;
  /** In the log. */
  #lastPlace = NO_PLACE;
  #latestPlace = NO_PLACE;
  /** They are kept here once the log has let go of them. */
  #keptLast: Span | null = null;
  #keptLatest: Span | null = null;
  #n = 0;
  /** The last version that only clients which take edits can be brought to by a delta. */
  #edited = 0;
  #bytes = 0;
  #whole: Whole | null = null;

  constructor(
    about: Pick<Feed, 'view' | 'place' | 'chain' | 'shape' | 'geared'>,
    bounds: FeedBounds,
    log: VersionLog,
  ) {
    this.view = about.view;
    this.place = about.place;
    this.chain = about.chain;
    this.shape = about.shape;
    this.#geared = about.geared;
    this.#bounds = bounds;
    this.#log = log;
  }

  /** How the view is maintained now. */
  get geared(): Geared {
    return this.#geared;
  }

  /** What the log holds of it, by estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The last span. */
  get last(): Span | null {
    return this.#log.at(this.#lastPlace) ?? this.#keptLast;
  }

  /** The last version. */
  get latest(): Span | null {
    return this.#log.at(this.#latestPlace) ?? this.#keptLatest;
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
    if (this.#latestLsn !== lsnOf(from)) {
      this.#begin(to, nowMs);
      return false;
    }
    this.#n += 1;
    if (plain === null) this.#edited = this.#n;
    // The common case: what is known of the version before is enough.
    const isLater = from < to && this.#lastPlace === this.#latestPlace;
    this.#take({ from: to, n: this.#n, error: null, isVersion: true, delta, plain, count }, nowMs, isLater);
    return true;
  }

  gap(through: Spot): void {
    const { last } = this;
    if (last === null || last.through !== null) return;
    if (through >= last.from) {
      last.through = through;
      return;
    }
    this.#moveBack(last);
    // Where that one began the one before it has ended.
    const before = this.last;
    if (before !== null) before.through ??= (last.from - 1n) as Spot;
  }

  /** @returns whether that is news to who was told the last answer: it was an error. */
  again(from: Spot, nowMs: number): boolean {
    const { last, latest } = this;
    if (latest !== null) this.#answer(from, latest.n, null, nowMs);
    return last !== null && last.error !== null;
  }

  error(from: Spot, error: WireError, nowMs: number): void {
    this.#answer(from, this.#n, error, nowMs);
  }

  /** The answer to a snapshot request. @returns null when it is of no version that is held. */
  answered(at: Spot, bytes: Uint8Array, count: number): Whole | null {
    // The version may be of an earlier epoch than the batch: its LSN tells, and it is the latest of that LSN.
    for (let version = this.latest; version !== null; version = this.#before(version)) {
      if (lsnOf(version.from) !== lsnOf(at)) continue;
      this.#whole = { n: version.n, at: version.from, bytes, count };
      return this.#whole;
    }
    return null;
  }

  forgetWhole(): void {
    this.#whole = null;
  }

  /** Nobody holds it any more. */
  forgetLog(): void {
    this.#remove(this.#lastPlace, ({ previous }) => previous);
    this.#remove(this.#latestPlace, ({ before }) => before);
  }

  /** What there is to it while its last span is its last version, which still holds; null while there is more. */
  standing(): Standing | null {
    const { last, latest } = this;
    if (last === null || last !== latest || last.through !== null) return null;
    const place = this.#keptLatest === null ? this.#latestPlace : NO_PLACE;
    const { from, arrivedMs } = last;
    return { n: this.#n, edited: this.#edited, bytes: this.#bytes, place, from, arrivedMs };
  }

  /** It has come that far without it. */
  stand({ n, edited, bytes, place, from, arrivedMs }: Standing): void {
    this.#n = n;
    this.#edited = edited;
    this.#bytes = bytes;
    this.#lastPlace = this.#latestPlace = place;
    const kept = place === NO_PLACE ? this.#bare(n, from, arrivedMs) : null;
    this.#keptLast = this.#keptLatest = kept;
  }

  /** The log has let go of one. */
  letGo(place: number, span: Span): void {
    this.#bytes -= bytesOf(span);
    if (place !== this.#lastPlace && place !== this.#latestPlace) return;
    const bare = { ...span, previous: NO_PLACE, before: NO_PLACE, delta: null, plain: null };
    if (place === this.#lastPlace) this.#keptLast = bare;
    if (place === this.#latestPlace) this.#keptLatest = bare;
  }

  // ------------------------------------------------------------ what a client may be sent

  /** Whether a client that holds version `n`, and takes edits or not, can be brought to the latest by deltas. */
  continues(n: number, edits: boolean): boolean {
    if (n === this.#n) return n > 0;
    if (!edits && n < this.#edited) return false;
    if (n > this.#n || this.#n - n > this.#bounds.logVersionsMax) return false;
    let bytes = 0;
    for (let version = this.latest; version !== null; version = this.#before(version)) {
      bytes += bytesOf(version);
      if (version.delta === null || bytes > this.#bounds.logBytesMax) return false;
      if (version.n === n + 1) return true;
    }
    return false;
  }

  /** The versions after `n` up to and including `to`, as far as they are held. */
  after(n: number, to: number): readonly Span[] {
    const versions: Span[] = [];
    for (let version = this.latest; version !== null; version = this.#before(version)) {
      if (version.n <= n) break;
      if (version.n <= to) versions.push(version);
      if (version.n === n + 1) break;
    }
    return versions.reverse();
  }

  version(n: number): Span | null {
    if (this.#n - n > this.#bounds.logVersionsMax) return null;
    let version = this.latest;
    while (version !== null && version.n > n) version = this.#before(version);
    return version?.n === n ? version : null;
  }

  versionAt(at: Spot): Span | null {
    let version = this.latest;
    while (version !== null && version.from > at) version = this.#before(version);
    return version?.from === at ? version : null;
  }

  /** The latest span that begins at or before `p`. */
  spanAt(p: Spot): Span | null {
    let span = this.last;
    let left = this.#bounds.logVersionsMax;
    while (span !== null && span.from > p) span = left-- > 0 ? this.#log.at(span.previous) : null;
    return span;
  }

  // ------------------------------------------------------------ inside

  /** Where the last version begins. */
  get #latestLsn(): Lsn | null {
    if (this.#keptLatest !== null) return lsnOf(this.#keptLatest.from);
    return this.#latestPlace === NO_PLACE ? null : this.#log.lsnAt(this.#latestPlace);
  }

  /** The version before, as far as it is held, of the same chain and not too far back. */
  #before({ n, delta, before }: Span): Span | null {
    return delta === null || this.#n - n >= this.#bounds.logVersionsMax ? null : this.#log.at(before);
  }

  #remove(from: number, before: (span: Span) => number): void {
    let span = this.#log.at(from);
    for (let place = from; span !== null; span = this.#log.at(place)) {
      this.#log.remove(place);
      place = before(span);
    }
  }

  #begin(at: Spot, nowMs: number): void {
    this.#n += this.#n === 0 ? 1 : 2;
    this.#whole = null;
    this.#take({ from: at, n: this.#n, error: null, ...CHAIN_BEGINS }, nowMs);
  }

  /** An answer that is no version of its own. */
  #answer(from: Spot, n: number, error: WireError | null, nowMs: number): void {
    this.#take({ from, n, error, ...NO_VERSION }, nowMs);
  }

  /** @param isLater the last span begins before it */
  #take({ from, n, error, isVersion, delta, plain, count }: Answer, nowMs: number, isLater = false): void {
    this.#bringBack(nowMs);
    const last = isLater ? null : this.last;
    if (last !== null && last.through === null && last.from >= from) this.#moveBack(last);
    const [previous, before] = [this.#lastPlace, this.#latestPlace];
    const span = {
      view: this.place,
      from,
      through: null,
      n,
      error,
      arrivedMs: nowMs,
      previous,
      before,
      delta,
      plain,
      count,
    };
    this.#lastPlace = this.#push(span, nowMs);
    this.#keptLast = null;
    if (!isVersion) return;
    this.#latestPlace = this.#lastPlace;
    this.#keptLatest = null;
  }

  /** What the log has let go of is found by those who have not come past it, once there is more. */
  #bringBack(nowMs: number): void {
    const [last, latest] = [this.#keptLast, this.#keptLatest];
    this.#keptLast = this.#keptLatest = null;
    if (latest !== null) this.#latestPlace = this.#push({ ...latest, arrivedMs: nowMs }, nowMs);
    if (last !== null)
      this.#lastPlace =
        last === latest ? this.#latestPlace : this.#push({ ...last, arrivedMs: nowMs }, nowMs);
  }

  /** A version as it is kept once the log has let go of it. */
  #bare(n: number, from: Spot, arrivedMs: number): Span {
    const places = { previous: NO_PLACE, before: NO_PLACE };
    return { view: this.place, from, through: null, n, error: null, arrivedMs, ...places, ...BARE };
  }

  #push(span: Span, nowMs: number): number {
    this.#bytes += bytesOf(span);
    return this.#log.push(span, nowMs);
  }

  /** The last span is none. If it was no version either, nothing leads to it any more. */
  #moveBack({ previous }: Span): void {
    if (this.#lastPlace !== this.#latestPlace) this.#bytes -= this.#log.remove(this.#lastPlace);
    this.#keptLast = null;
    this.#lastPlace = previous;
  }
}

type Answer = Pick<Span, 'from' | 'n' | 'error' | 'delta' | 'plain' | 'count'> & {
  readonly isVersion: boolean;
};

const BARE = { delta: null, plain: null, count: 0 } as const;
const NO_VERSION = { isVersion: false, ...BARE } as const;
const CHAIN_BEGINS = { ...NO_VERSION, isVersion: true } as const;
