import type { Spot } from './spot.js';

/** Commit tokens that the stream brought (C26), the newest `max` of them, and who waits for one. */
export class Tokens {
  readonly #max: number;
  readonly #seen = new Map<string, Spot>();
  readonly #waiting = new Map<string, Set<(at: Spot) => void>>();

  constructor(max: number) {
    this.#max = max;
  }

  seen(token: string, at: Spot): void {
    this.#seen.set(token, at);
    if (this.#seen.size > this.#max) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest);
        break;
      }
    }
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    for (const tell of waiting ?? []) tell(at);
  }

  find(token: string): Spot | null {
    return this.#seen.get(token) ?? null;
  }

  /** @returns what stops waiting. */
  wait(token: string, tell: (at: Spot) => void): () => void {
    const waiting = this.#waiting.get(token) ?? new Set();
    this.#waiting.set(token, waiting.add(tell));
    return () => {
      waiting.delete(tell);
      if (waiting.size === 0 && this.#waiting.get(token) === waiting) this.#waiting.delete(token);
    };
  }
}
