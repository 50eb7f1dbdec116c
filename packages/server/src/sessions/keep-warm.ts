import type { Clock } from './clock.js';
import type { Feed } from './feed.js';

interface Idle {
  readonly sinceMs: number;
  /** The newest `open` that was under way: until it is answered, the view may be the one it will name. */
  readonly ref: number;
}

interface KeepBounds {
  readonly keepMs: number;
  readonly keepViewsMax: number;
  readonly keepBytesMax: number;
}

/**
 * Views that nobody holds any more stay open for a while, oldest out first (a reload, a tab switched back).
 * None is given up while an `open` from before is unanswered: it might name this very view, which the other side
 * would then believe to be held twice, or not at all.
 */
export class KeepWarm {
  readonly #clock: Clock;
  readonly #bounds: KeepBounds;
  readonly #oldestOpen: () => number;
  readonly #release: (feed: Feed) => void;
  readonly #idle = new Map<Feed, Idle>();
  #cancel: (() => void) | null = null;

  /** @param oldestOpen number of the oldest `open` still unanswered, Infinity for none */
  constructor(clock: Clock, bounds: KeepBounds, oldestOpen: () => number, release: (feed: Feed) => void) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#oldestOpen = oldestOpen;
    this.#release = release;
  }

  get size(): number {
    return this.#idle.size;
  }

  keep(feed: Feed, ref: number): void {
    this.#idle.delete(feed);
    this.#idle.set(feed, { sinceMs: this.#clock.nowMs(), ref });
    this.#sweep();
  }

  /** Somebody holds it again, or it is over. */
  take(feed: Feed): void {
    this.#idle.delete(feed);
  }

  /** An `open` was answered. */
  answered(): void {
    this.#sweep();
  }

  /** Memory is short: all that may be given up is. */
  releaseAll(): void {
    for (const [feed, { ref }] of this.#idle) {
      if (ref >= this.#oldestOpen()) return;
      this.#idle.delete(feed);
      this.#release(feed);
    }
  }

  #sweep(): void {
    let bytes = 0;
    for (const feed of this.#idle.keys()) bytes += heldBytes(feed);
    const { keepMs, keepViewsMax, keepBytesMax } = this.#bounds;
    const nowMs = this.#clock.nowMs();
    this.#cancel?.();
    this.#cancel = null;
    for (const [feed, { sinceMs, ref }] of this.#idle) {
      const full = this.#idle.size > keepViewsMax || bytes > keepBytesMax;
      if (!full && nowMs - sinceMs < keepMs) {
        this.#cancel = this.#clock.after(keepMs - (nowMs - sinceMs), () => this.#sweep());
        return;
      }
      if (ref >= this.#oldestOpen()) return;
      this.#idle.delete(feed);
      bytes -= heldBytes(feed);
      this.#release(feed);
    }
  }
}

function heldBytes(feed: Feed): number {
  return feed.bytes + (feed.whole?.bytes.length ?? 0);
}
