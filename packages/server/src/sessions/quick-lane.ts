import type { Entry } from '../views/port.js';
import type { SessionLimits } from './limits.js';
import { RestingViews, type Standing } from './resting.js';
import type { Epochs, Spot } from './spot.js';
import { bytesOf, NO_PLACE, type Span, type VersionLog } from './version-log.js';

/*
 * The way of most changes: one more version of a view that rests with one connection. It is noted in the record of the view,
 * and in the log; at the end of the turn the connection is told it, if nothing else is to be looked at. Feed and member are
 * as they were when the view came to rest, until it leaves the lane: then they are told what it came to.
 *
 *   member rests ──put──▶ record ──▶ take, tell, take, tell … ──leave──▶ feed and member, as ever
 *
 * Whatever is not that common leaves the lane first: what it means is said in one place (`feed.ts`, `mover.ts`).
 */
export class QuickLane {
  readonly #log: VersionLog;
  readonly #limits: Pick<SessionLimits, 'foldAbove' | 'logBytesMax'>;
  readonly #epochs: Epochs;
  readonly #views = new RestingViews();

  constructor(log: VersionLog, limits: Pick<SessionLimits, 'foldAbove' | 'logBytesMax'>, epochs: Epochs) {
    this.#log = log;
    this.#limits = limits;
    this.#epochs = epochs;
  }

  /** @param holder number of the connection that was told all */
  put(view: number, holder: number, standing: Standing): void {
    this.#views.put(view, holder, standing);
  }

  /** The connection that the view is in the lane for; 0: it is not. */
  holderOf(view: number): number {
    return this.#views.holderOf(view);
  }

  /** @returns what it came to, and the version that the client was told; null when it was not in the lane */
  leave(view: number): { readonly standing: Standing; readonly told: number } | null {
    if (this.#views.holderOf(view) === 0) return null;
    this.#views.remove(view);
    return { standing: this.#views.standingOf(view), told: this.#views.toldOf(view) };
  }

  /** @param edits whether the client takes edits @returns what is new about it; null when it is for the feed to say */
  take(entry: Entry, edits: boolean, nowMs: number): 'first' | 'more' | null {
    const views = this.#views;
    const { place: view } = entry;
    if (entry.kind !== 'delta' || entry.from >= entry.to || entry.from !== views.lsnOf(view)) return null;
    const to = this.#epochs.spot(entry.to);
    const isFirst = views.toldOf(view) === views.versionOf(view);
    if (views.placeOf(view) === NO_PLACE) {
      const { n, from } = views.standingOf(view);
      const again = spanOf(view, from, n, nowMs, NO_PLACE, NOTHING);
      views.move(view, this.#push(view, again, nowMs));
    }
    const { message, edited, count } = entry;
    const plain = edited === undefined || !edits ? message : null;
    const told = { delta: edited ?? message, plain, count };
    const span = spanOf(view, to, views.versionOf(view) + 1, nowMs, views.placeOf(view), told);
    views.add(view, span, this.#push(view, span, nowMs));
    return isFirst ? 'first' : 'more';
  }

  /** The versions that the connection is to be told; null when they are more than are told one by one. */
  news(view: number): readonly Span[] | null {
    const told = this.#views.toldOf(view);
    const versions: Span[] = [];
    let bytes = 0;
    let place = this.#views.placeOf(view);
    for (let n = this.#views.versionOf(view); n > told; n--) {
      const version = this.#log.at(place);
      if (version === null || versions.length === this.#limits.foldAbove) return null;
      if ((bytes += bytesOf(version)) > this.#limits.logBytesMax) return null;
      versions.push(version);
      place = version.before;
    }
    return versions.reverse();
  }

  /** The connection was told them. */
  tell(view: number): void {
    this.#views.tell(view);
  }

  /** The log has let go of one of its versions. @returns false when it is for the feed to know */
  letGo(place: number, span: Span): boolean {
    const views = this.#views;
    const { view } = span;
    if (views.holderOf(view) === 0) return false;
    views.weigh(view, -bytesOf(span));
    if (views.placeOf(view) === place) views.move(view, NO_PLACE);
    return true;
  }

  #push(view: number, span: Span, nowMs: number): number {
    this.#views.weigh(view, bytesOf(span));
    return this.#log.push(span, nowMs);
  }
}

const NOTHING = { delta: null, plain: null, count: 0 };

/** @param before the place of the version before it, behind which it begins */
function spanOf(
  view: number,
  from: Spot,
  n: number,
  arrivedMs: number,
  before: number,
  { delta, plain, count }: Pick<Span, 'delta' | 'plain' | 'count'>,
): Span {
  const previous = before;
  return { view, from, through: null, n, error: null, arrivedMs, previous, before, delta, plain, count };
}
