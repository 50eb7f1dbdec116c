import type { Lsn } from '@sluice/core/lsn';

export interface PassingOptions {
  /** Asks the stream for a keepalive at once. */
  readonly ask: () => void;
  /** Commits something small that will come through the stream. */
  readonly mark: () => Promise<void>;
  /** How long to hope for a keepalive or a commit of someone else's. Default 5 ms. */
  readonly hopeMs?: number;
}

const HOPE_MS = 5;
/** After a mark that failed, or that did not come through: how long to wait for the next. */
const AGAIN_MS = 250;

/**
 * Waits until the stream has passed an LSN (C2).
 *
 *   wait(U) ─▶ ask for a keepalive ──5 ms──▶ mark: commit a logical message, one for all who wait ─▶ the stream passes U
 *
 * The mark is needed when the WAL up to U is not flushed (an open transaction on an idle server): nothing would come
 * for seconds. Its commit is after U, because U had been handed out before it began.
 */
export class Passing {
  readonly #options: PassingOptions;
  #waiters: Waiter[] = [];
  #lowest: Lsn | null = null;
  #timer: NodeJS.Timeout | undefined;
  #marking = false;
  #asking = false;
  /** Someone came while a mark was being made: it may lie below what they wait for. */
  #late = false;

  constructor(options: PassingOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  wait(lsn: Lsn): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ lsn, resolve, reject });
      if (this.#lowest === null || lsn < this.#lowest) this.#lowest = lsn;
      this.#ask();
      this.#markIn(this.#options.hopeMs ?? HOPE_MS);
    });
  }

  /** The stream is here. */
  passed(position: Lsn): void {
    if (this.#lowest === null || position < this.#lowest) return;
    const waiters = this.#waiters;
    this.#keep(waiters.filter((waiter) => waiter.lsn > position));
    for (const waiter of waiters) if (waiter.lsn <= position) waiter.resolve();
  }

  /** Nobody will be told any more. */
  reject(error: Error): void {
    const waiters = this.#waiters;
    this.#keep([]);
    for (const waiter of waiters) waiter.reject(error);
  }

  /** Once for all who come in one turn. */
  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    queueMicrotask(() => {
      this.#asking = false;
      this.#options.ask();
    });
  }

  #keep(waiters: Waiter[]): void {
    this.#waiters = waiters;
    this.#lowest = waiters.reduce<Lsn | null>(
      (lowest, { lsn }) => (lowest === null || lsn < lowest ? lsn : lowest),
      null,
    );
    if (waiters.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #markIn(delayMs: number): void {
    if (this.#marking) this.#late = true;
    if (this.#timer !== undefined || this.#marking) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#mark();
    }, delayMs);
  }

  async #mark(): Promise<void> {
    this.#marking = true;
    this.#late = false;
    // A mark that could not be made (read-only server, no connection) is made again; a keepalive may come first.
    await this.#options.mark().catch(() => undefined);
    this.#marking = false;
    if (this.#waiters.length > 0) this.#markIn(this.#late ? (this.#options.hopeMs ?? HOPE_MS) : AGAIN_MS);
  }
}

interface Waiter {
  readonly lsn: Lsn;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}
