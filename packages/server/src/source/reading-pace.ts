/**
 * When to stop reading the socket for a moment. The sender writes every change by itself; read as it comes, each costs
 * a system call and a wake-up, here and there. Under load, short naps let them pile up in the kernel and come
 * together. At rest, nothing is delayed.
 *
 *   many small reads in a short time ──▶ nap 1 ms ──again──▶ 2 ──▶ 4 … 20 ms      calm for a moment ──▶ no nap
 */
export interface PaceOptions {
  /** Longest nap. Default 20 ms. */
  readonly napMsMax?: number;
  /** So many reads within `windowMs` are too many. Default 8 in 4 ms. */
  readonly readsMax?: number;
  readonly windowMs?: number;
  readonly now: () => number;
}

/** A read this full was worth its price, and napping would only slow a sender that is ahead of us. */
const FULL_READ_BYTES = 32_768;
/**
 * What a nap should gather: above, the kernel's buffer fills and the sender waits for us; far below, the nap was too
 * short to join anything.
 */
const GATHER_BYTES_MAX = 131_072;
const GATHER_BYTES_MIN = 32_768;

export class ReadingPace {
  readonly #napMsMax: number;
  readonly #readsMax: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  /** The first read of the window; null: the next one begins it, however late timers and sockets woke us. */
  #windowStart: number | null = null;
  #reads = 0;
  #bytes = 0;
  #napMs = 0;

  constructor(options: PaceOptions) {
    this.#napMsMax = options.napMsMax ?? 20;
    this.#readsMax = options.readsMax ?? 8;
    this.#windowMs = options.windowMs ?? 4;
    this.#now = options.now;
  }

  /** To be told of each read. @returns for how many milliseconds to stop reading now; 0: go on. */
  read(bytes: number): number {
    const now = this.#now();
    if (this.#windowStart !== null && now - this.#windowStart > this.#windowMs) {
      this.#begin();
      this.#napMs = 0;
    }
    this.#windowStart ??= now;
    this.#bytes += bytes;
    if (bytes < FULL_READ_BYTES) this.#reads++;
    if (this.#reads < this.#readsMax) return 0;
    this.#napMs = Math.min(this.#napMsMax, Math.max(1, this.#napMs * this.#change()));
    this.#begin();
    return this.#napMs;
  }

  #change(): number {
    if (this.#bytes > GATHER_BYTES_MAX) return 0.5;
    return this.#bytes < GATHER_BYTES_MIN ? 2 : 1;
  }

  #begin(): void {
    this.#windowStart = null;
    this.#reads = 0;
    this.#bytes = 0;
  }
}
