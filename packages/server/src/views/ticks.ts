interface Intervals {
  every(ms: number, callback: () => void): () => void;
}

/**
 * Time as an input of views: for each interval in use a commit that only carries a logical message, so that a tick
 * has a place in the WAL and answers stand before or after it like any change.
 */
export class Ticks {
  readonly #clock: Intervals;
  readonly #emit: (content: string) => void;
  readonly #running = new Map<number, { users: number; readonly stop: () => void }>();

  constructor(clock: Intervals, emit: (content: string) => void) {
    this.#clock = clock;
    this.#emit = emit;
  }

  add(tickMs: number): void {
    const running = this.#running.get(tickMs);
    if (running) running.users++;
    else
      this.#running.set(tickMs, {
        users: 1,
        stop: this.#clock.every(tickMs, () => this.#emit(String(tickMs))),
      });
  }

  remove(tickMs: number): void {
    const running = this.#running.get(tickMs);
    if (!running || --running.users > 0) return;
    running.stop();
    this.#running.delete(tickMs);
  }

  stop(): void {
    for (const { stop } of this.#running.values()) stop();
    this.#running.clear();
  }
}
