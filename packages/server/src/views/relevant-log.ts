import type { Lsn } from '@sluice/core/lsn';
import { sees, type Snapshot } from '../source/snapshot.js';
import type { Concerned } from './concerned-views.js';

/** A transaction that touched what a template reads. */
export interface Relevant {
  readonly xid: number;
  readonly lsn: Lsn;
  readonly previous: Lsn;
}

/** With the views of the template that it may concern (C9). */
export interface Concerning<V> extends Relevant {
  readonly of: Concerned<V>;
}

interface Logged<V> extends Concerning<V> {
  readonly tick: boolean;
}

/** Where the runs of one snapshot stand, for each view of a template and for whoever anything concerns. */
export interface Standings<V> {
  of(view: V): Standing;
  readonly whole: Standing;
}

/** Where a run stands. */
export interface Standing {
  /** The last relevant transaction that the snapshot sees; null when none is logged. */
  readonly seen: Lsn | null;
  /** The first that it does not see. */
  readonly until: Relevant | null;
  /** The snapshot saw nothing that commits after this. */
  readonly upper: Lsn;
}

/** Relevant transactions kept while views are behind. */
const RELEVANT_MAX = 100_000;

/** Where a view that is behind stands. */
export interface Base {
  /**
   * All relevant transactions up to here are in what was told last; or, before the first answer and after the stream
   * began anew, are seen by any later snapshot. What it is behind of is above.
   */
  base: Lsn;
  /** An answer has been told that holds at `base`. */
  told: boolean;
}

/**
 * From where on an answer is told that stands from `least` on. Without the event trigger a change of the schema is in
 * the snapshot and not in the log: from `upper` on it is in both, so an answer is not dated before that where it can
 * be helped. (It cannot while a relevant commit below `upper` is invisible: waiting for a moment without one may last.)
 */
export function toldFrom(least: Lsn, until: Relevant | null, upper: Lsn): Lsn {
  return upper > least && (until === null || until.lsn > upper) ? upper : least;
}

export function raiseBase(one: Base, least: Lsn): void {
  if (one.base >= least) return;
  one.base = least;
  one.told = false;
}

/**
 * The transactions that touched what a template reads while views of it are behind, in WAL order: they decide where
 * an answer that was read at a snapshot *stands* (C6).
 *
 *   log:     T1 ──── T2 ──── T3 ──── T4        relevant transactions
 *   snapshot sees    ✓       ✓       ✗         the answer stands from T3 on, through just before T4
 *   or               ✓       ✗       ✓         nowhere: it lacks T3 and contains the later T4
 *
 * A view has a *base*: what it is behind of is above it. Everything above the lowest base is in the log.
 */
export class RelevantLog<V = never> {
  readonly #max: number;
  #log: Logged<V>[] = [];

  /** @param max how many are kept at most; more, and the older half is forgotten with the bases that need it */
  constructor(max: number = RELEVANT_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#log.length;
  }

  /**
   * @param tick time moved with it
   * @returns a new lower bound for bases, when there were too many to keep.
   */
  add({ xid, lsn, previous }: Relevant, of: Concerned<V> = 'all', tick = false): Lsn | null {
    this.#log.push({ xid, lsn, previous, of, tick });
    if (this.#log.length <= this.#max) return null;
    this.#log.splice(0, this.#log.length >> 1);
    return this.#log[0]?.previous ?? null;
  }

  /** The last transaction that the snapshot sees; null when none is logged. */
  lastSeen(snapshot: Snapshot): Lsn | null {
    return this.#log.findLast((one) => sees(snapshot, one.xid))?.lsn ?? null;
  }

  /**
   * Where runs at a snapshot stand.
   * @param unseen transactions that the snapshot does not see, in WAL order
   * @param began how far the stream had been told when the runs were asked for. Their clock may have been read before any
   *   tick after that, although their snapshot, which waits for locks, sees the tick: they stand before the tick.
   */
  standings(snapshot: Snapshot, unseen: readonly Concerning<V>[], began: Lsn, upper: Lsn): Standings<V> {
    const late = this.#log.find(({ tick, lsn }) => tick && lsn > began);
    const missing = late === undefined ? unseen : [...unseen, late].toSorted(byPosition);
    const seen = this.#log.filter(({ xid, lsn, tick }) => (!tick || lsn <= began) && sees(snapshot, xid));
    const last = new Nearest(seen.toReversed());
    const first = new Nearest(missing);
    return {
      of: (view) => ({ seen: last.of(view)?.lsn ?? null, until: first.of(view), upper }),
      whole: { seen: seen.at(-1)?.lsn ?? null, until: missing[0] ?? null, upper },
    };
  }

  /** Forgets what no view is behind of. @param bases of the views that are behind */
  trim(bases: Iterable<Lsn>): void {
    let least: Lsn | null = null;
    for (const base of bases) if (least === null || base < least) least = base;
    const from = least;
    this.#log = from === null ? [] : this.#log.filter((relevant) => relevant.lsn > from);
  }

  clear(): void {
    this.#log = [];
  }
}

/** The first of a list that concerns a view: looked up, since there may be many of both. */
class Nearest<V> {
  readonly #ofAll: Concerning<V> | null;
  readonly #of = new Map<V, Concerning<V>>();

  constructor(list: readonly Concerning<V>[]) {
    for (const one of list) {
      if (one.of === 'all') {
        this.#ofAll = one;
        return;
      }
      for (const view of one.of) if (!this.#of.has(view)) this.#of.set(view, one);
    }
    this.#ofAll = null;
  }

  of(view: V): Concerning<V> | null {
    return this.#of.get(view) ?? this.#ofAll;
  }
}

function byPosition(left: Relevant, right: Relevant): number {
  return left.lsn < right.lsn ? -1 : left.lsn > right.lsn ? 1 : 0;
}
