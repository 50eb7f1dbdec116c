/**
 * When to stop reading the socket for a moment. The sender writes every change by itself; read as it comes, each costs
 * a system call and a wake-up, here and there. Under load, short naps let them pile up in the kernel and come
 * together. At rest, nothing is delayed: a nap needs more than one transaction in a short time, however many pieces
 * it comes in, and goes on only while it joins some.
 *
 *   1.5 transactions per ms ──▶ nap 1 ms ──still──▶ 2 ──▶ 4 ──▶ 5 ms      fewer ──▶ no nap
 */
export interface Pace {
  /**
   * To be told of what was read together.
   * @param atMs when it came: what is done with it takes no time from the next.
   * @returns for how many milliseconds to stop reading now; 0: go on.
   */
  read(atMs: number, come: Come): number;
}

export interface Come {
  readonly bytes: number;
  /** Of which each was written by itself. */
  readonly messages: number;
  /** The messages that end a transaction. */
  readonly commits: number;
}

export interface PaceOptions {
  /** Longest nap, and what it may add to the latency of a transaction under load. Default 5 ms. */
  readonly napMsMax?: number;
}

/** More transactions than these are worth a nap: a nap of 1 ms joins more than one. */
const COMMITS_PER_MS = 1.5;
/** So long it must go on before the first nap: 3 transactions. */
const WINDOW_MS = 2;
/** What a message within a transaction counts: the end of one that is alone waits only if it has dozens. */
const MESSAGE = 1 / 8;
/** A read this full was worth its price, and napping longer would only slow a sender that is ahead of us. */
const FULL_READ_BYTES = 32_768;
/** A nap that gathers less may be longer: some 30 small transactions, which a unix socket has room for, too. */
const GATHER_BYTES_MIN = 8_192;

export class ReadingPace implements Pace {
  readonly #napMsMax: number;
  /** When the first read of this round came, or the one before the nap; null: the next one begins it. */
  #since: number | null = null;
  #bytes = 0;
  #count = 0;
  #napMs = 0;

  constructor(options: PaceOptions = {}) {
    this.#napMsMax = options.napMsMax ?? 5;
  }

  read(atMs: number, { bytes, messages, commits }: Come): number {
    if (bytes >= FULL_READ_BYTES) {
      this.#begin(null);
      this.#napMs = Math.floor(this.#napMs / 2);
      return 0;
    }
    this.#since ??= atMs;
    this.#bytes += bytes;
    this.#count += commits + (messages - commits) * MESSAGE;
    // Timers and sockets may wake us late: then more has to have come.
    const windowMs = WINDOW_MS + this.#napMs;
    const elapsedMs = atMs - this.#since;
    if (this.#count >= COMMITS_PER_MS * Math.max(windowMs, elapsedMs)) {
      const longer = this.#bytes < GATHER_BYTES_MIN ? this.#napMs * 2 : this.#napMs;
      this.#napMs = Math.min(this.#napMsMax, Math.max(1, longer));
      this.#begin(atMs);
      return this.#napMs;
    }
    if (elapsedMs <= windowMs) return 0;
    // Calm: what came now may be the first of a storm.
    this.#napMs = 0;
    this.#begin(null);
    return this.read(atMs, { bytes, messages, commits });
  }

  #begin(since: number | null): void {
    this.#since = since;
    this.#bytes = 0;
    this.#count = 0;
  }
}
