import type { ViewId } from '@sluice/core/wire';

/** How long a view that was given up is refused at first, and at most: each time in a row twice as long. */
const REST_MS = 10_000;
const REST_MS_MAX = 320_000;
/** How many are remembered: of more, those that were given up longest ago may come back at once. */
const VIEWS_MAX = 1_000;

interface Rest {
  readonly ms: number;
  readonly untilMs: number;
}

/**
 * Views that were given up for want of memory, and would be as soon as they were read again: whoever asks for one is
 * refused for a while, without a word to Postgres. Clients ask again by themselves, and many may hold the same view.
 */
export class RestingViews {
  readonly #rests = new Map<ViewId, Rest>();

  get size(): number {
    return this.#rests.size;
  }

  gaveUp(view: ViewId, nowMs: number): void {
    const last = this.#rests.get(view);
    // What has stayed for as long as it had to rest is judged anew.
    const isAgain = last !== undefined && nowMs - last.untilMs < last.ms;
    const ms = isAgain ? Math.min(2 * last.ms, REST_MS_MAX) : REST_MS;
    this.#rests.delete(view);
    this.#rests.set(view, { ms, untilMs: nowMs + ms });
    for (const oldest of this.#rests.keys()) {
      if (this.#rests.size <= VIEWS_MAX) break;
      this.#rests.delete(oldest);
    }
  }

  /** How long it is to be refused, ms; 0 when it may come. */
  restMs(view: ViewId, nowMs: number): number {
    return Math.max(0, (this.#rests.get(view)?.untilMs ?? 0) - nowMs);
  }
}
