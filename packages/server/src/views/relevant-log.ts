import type { Lsn } from '@sluice/core/lsn';
import { sees, type Snapshot } from '../source/snapshot.js';

/** A transaction that touched what a template reads. */
export interface Relevant {
  readonly xid: number;
  readonly lsn: Lsn;
  readonly previous: Lsn;
}

interface Logged extends Relevant {
  readonly tick: boolean;
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
export class RelevantLog {
  readonly #max: number;
  #log: Logged[] = [];

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
  add({ xid, lsn, previous }: Relevant, tick = false): Lsn | null {
    this.#log.push({ xid, lsn, previous, tick });
    if (this.#log.length <= this.#max) return null;
    this.#log.splice(0, this.#log.length >> 1);
    return this.#log[0]?.previous ?? null;
  }

  /**
   * The last transaction that the snapshot sees; null when none is logged.
   * @param ticksThrough later ticks do not count
   */
  lastSeen(snapshot: Snapshot, ticksThrough: Lsn | null = null): Lsn | null {
    const counts = ({ tick, lsn }: Logged): boolean => !tick || ticksThrough === null || lsn <= ticksThrough;
    return this.#log.findLast((one) => counts(one) && sees(snapshot, one.xid))?.lsn ?? null;
  }

  /** The first tick after the position. */
  tickAfter(position: Lsn): Relevant | null {
    return this.#log.find(({ tick, lsn }) => tick && lsn > position) ?? null;
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
