/**
 * When to stop reading the socket for a moment. The sender writes every change by itself; read as it comes, each costs
 * a system call and a wake-up, here and there. Under load, short naps let them pile up in the kernel: a tenth of the
 * CPU for the same changes. At rest, nothing is delayed.
 *
 *   many small reads ──▶ nap 1 ms ──still small──▶ 2 ──▶ 4 … 20 ms       a full or a late read ──▶ no nap
 */
export interface PaceOptions {
  /** Longest nap. Default 20 ms. */
  readonly napMsMax?: number;
  /** So many reads within `windowMs` are too many. Default 16 in 4 ms. */
  readonly readsMax?: number;
  readonly windowMs?: number;
  readonly now: () => number;
}

/** A read this full came from a sender that is ahead of us: napping would only slow us down. */
const FULL_READ_BYTES = 32_768;
/** What a nap should gather before longer ones bring nothing. */
const GATHER_BYTES = 262_144;

export class ReadingPace {
  readonly #napMsMax: number;
  readonly #readsMax: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  #windowStart = 0;
  #reads = 0;
  #bytes = 0;
  #napMs = 0;

  constructor(options: PaceOptions) {
    this.#napMsMax = options.napMsMax ?? 20;
    this.#readsMax = options.readsMax ?? 16;
    this.#windowMs = options.windowMs ?? 4;
    this.#now = options.now;
  }

  /** To be told of each read. @returns for how long to stop reading now; 0: go on. */
  read(bytes: number): number {
    const now = this.#now();
    if (now - this.#windowStart > this.#windowMs) {
      this.#napMs = this.#reads === 0 ? 0 : this.#napMs;
      this.#windowStart = now;
      this.#reads = 0;
      this.#bytes = 0;
    }
    this.#reads++;
    this.#bytes += bytes;
    if (bytes >= FULL_READ_BYTES || this.#reads < this.#readsMax) return 0;
    const grow = this.#bytes < GATHER_BYTES ? 2 : 0.5;
    this.#napMs = Math.min(this.#napMsMax, Math.max(1, this.#napMs * grow));
    this.#windowStart = now + this.#napMs;
    this.#reads = 0;
    this.#bytes = 0;
    return this.#napMs;
  }
}
