import type { ViewId } from '@sluice/core/wire';
import type { Transaction } from '../source/transaction.js';
import { viewsError } from './errors.js';
import { tokensOf } from './marks.js';
import type { Entry, FromViews } from './port.js';
import type { Version } from './publications.js';

export interface OutboxOptions {
  /** As far as the stream was told: all that was published holds up to there. */
  now(): Version;
  /**
   * Publishes a view's version whole, in answer to a request.
   * @returns `later` when only the next version can tell; `gone` when there is no such view
   */
  answer(view: ViewId, ref: number): 'answered' | 'later' | 'gone';
}

/** One turn may tell of thousands of transactions: what waits for its end is what the collector copies meanwhile. */
const WAITING_MAX = 500;

/**
 * What goes to the sessions, in the order of `port.ts`: entries of one turn go as one batch, or as some, each of which
 * speaks for the position that the stream has come to meanwhile.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #listener: (message: FromViews) => void = () => undefined;
  #entries: Entry[] = [];
  #isDue = false;
  /** Requests for versions that are not known yet. */
  #asked: { readonly ref: number; readonly view: ViewId }[] = [];

  readonly #flushDue = (): void => {
    this.#isDue = false;
    this.flush();
  };

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  listen(listener: (message: FromViews) => void): void {
    this.#listener = listener;
    this.flushSoon();
  }

  publish(entry: Entry): void {
    this.#entries.push(entry);
    this.flushSoon();
  }

  /** A view's latest version is wanted whole: answered with a batch. */
  ask(ref: number, view: ViewId): void {
    this.#asked.push({ ref, view });
    this.flushSoon();
  }

  /** At once: what was published before and is not flushed comes after it. */
  tell(message: FromViews): void {
    this.#listener(message);
  }

  /** After everything that the transaction changed: a batch speaks for its whole position. */
  ended(transaction: Transaction): void {
    for (const token of tokensOf(transaction)) {
      this.flush();
      this.tell({ kind: 'token', token, lsn: transaction.lsn });
    }
    if (this.#entries.length >= WAITING_MAX) this.flush();
    else this.flushSoon();
  }

  /** What is said from here on is not said before anything that was published. */
  settle(): void {
    if (this.#entries.length > 0) this.flush();
  }

  flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#flushDue);
  }

  flush(): void {
    this.#answer();
    const entries = this.#entries;
    this.#entries = [];
    const { epoch, lsn } = this.#options.now();
    this.#listener({ kind: 'batch', epoch, position: lsn, entries });
  }

  #answer(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const request of asked) {
      const answer = this.#options.answer(request.view, request.ref);
      if (answer === 'later') this.#asked.push(request);
      if (answer === 'gone')
        this.tell({ kind: 'refused', ref: request.ref, error: viewsError('query_replanned').toWire() });
    }
  }
}
