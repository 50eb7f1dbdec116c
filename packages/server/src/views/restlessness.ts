/** Rounds of reading, or so long without an answer that reaches the present, after which a binding is restless. */
const ROUNDS_MAX = 3;
const BEHIND_MS_MAX = 250;
/** A binding that was caught up and then did not miss for so long is quiet again. */
const QUIET_MS = 1000;

/** What one read came to. */
export interface Round {
  /** It has an answer that reaches the present. */
  readonly caughtUp: boolean;
  /** All of it was read, and not what it lacked alone. */
  readonly whole: boolean;
}

/**
 * Whether a binding misses faster than it can be read (C12). A restless one is not fetched at each miss but at the
 * pace of re-runs, until it has been quiet for a while. Where what it lacks is read, and is enough, it keeps pace however
 * often it misses.
 */
export class Restlessness {
  #rounds = 0;
  #behindSince: number;
  #caughtUpAt: number | null = null;
  #restless = false;

  constructor(nowMs: number) {
    this.#behindSince = nowMs;
  }

  /** As of the last miss or round; it takes the next miss to notice that it is over. */
  get isRestless(): boolean {
    return this.#restless;
  }

  /** It has not been quiet for long enough yet. */
  isRestlessAt(nowMs: number): boolean {
    return this.#restless && !this.#wasQuiet(nowMs);
  }

  missed(nowMs: number): void {
    if (this.#wasQuiet(nowMs)) {
      this.#rounds = 0;
      this.#restless = false;
    }
    this.#behindSince = nowMs;
    this.#caughtUpAt = null;
  }

  /** It was read once more. @returns whether that makes it restless. */
  round(nowMs: number, { caughtUp, whole }: Round): boolean {
    this.#rounds = caughtUp && !whole ? 0 : this.#rounds + 1;
    if (caughtUp) this.#caughtUpAt = nowMs;
    const was = this.#restless;
    this.#restless ||=
      this.#rounds > ROUNDS_MAX ||
      (!caughtUp && (this.#rounds === ROUNDS_MAX || nowMs - this.#behindSince >= BEHIND_MS_MAX));
    return this.#restless && !was;
  }

  #wasQuiet(nowMs: number): boolean {
    return this.#caughtUpAt !== null && nowMs - this.#caughtUpAt >= QUIET_MS;
  }
}
