import type { Lsn } from '@sluice/core/lsn';
import { PgoutputDecoder } from './pgoutput.js';
import type { StreamHandler } from './replication-connection.js';
import type { Transaction } from './transaction.js';
import { TransactionBuilder } from './transaction-builder.js';

/** Transactions that are looked at together: as many as caches have room for what they touch. */
const TOGETHER = 16;

export interface StreamEvents {
  /** These are told next. */
  readonly coming: (transactions: readonly Transaction[]) => void;
  readonly transaction: (transaction: Transaction) => void;
  /** Nothing committed up to here that was not told. */
  readonly progress: (lsn: Lsn) => void;
  readonly keepalive: (replyRequested: boolean) => void;
}

/**
 * One connection's stream made into transactions, from a position on. What was told before (the slot sends again what
 * was not confirmed) is skipped by its commit's LSN; what was not committed when the connection breaks goes with it.
 * What bytes of one chunk bring is told when the chunk is over: transactions that come together are announced together.
 * A sender that has caught up says so after every transaction: that keeps none of them apart.
 */
export class StreamReader implements StreamHandler {
  readonly #decoder = new PgoutputDecoder();
  readonly #builder: TransactionBuilder;
  readonly #events: StreamEvents;
  #position: Lsn;
  #transactions: Transaction[] = [];
  /** Behind these, the position that was passed without one. */
  #passed: Lsn | null = null;
  /** Whether a keepalive came, and whether one asks for a reply. */
  #keepalive: { readonly replyRequested: boolean } | null = null;
  #isOver = false;

  constructor(from: Lsn, transactionBytesMax: number, events: StreamEvents) {
    this.#position = from;
    this.#builder = new TransactionBuilder(transactionBytesMax);
    this.#events = events;
  }

  message(buffer: Buffer, start: number, end: number): void {
    const message = this.#decoder.decode(buffer, start, end);
    const transaction = this.#builder.add(message, end - start, this.#position);
    if (transaction === null || transaction.lsn <= this.#position) return;
    this.#position = transaction.lsn;
    const { changes, bulk, messages } = transaction;
    if (changes.length === 0 && bulk.size === 0 && messages.length === 0) {
      this.#passed = transaction.lsn;
      return;
    }
    // It says itself that all before it has passed.
    this.#passed = null;
    this.#transactions.push(transaction);
    if (this.#transactions.length === TOGETHER) this.flush();
  }

  keepalive(lsn: Lsn, replyRequested: boolean): void {
    // Within a transaction nothing that is on its way may be passed over: its commit lies ahead of every keepalive,
    // and this does not rely on it.
    if (lsn > this.#position && !this.#builder.inTransaction) this.#position = this.#passed = lsn;
    this.#keepalive = { replyRequested: replyRequested || this.#keepalive?.replyRequested === true };
  }

  flush(): void {
    const [transactions, passed, keepalive] = [this.#transactions, this.#passed, this.#keepalive];
    [this.#transactions, this.#passed, this.#keepalive] = [[], null, null];
    if (transactions.length > 1 && !this.#isOver) this.#events.coming(transactions);
    for (const transaction of transactions) if (!this.#isOver) this.#events.transaction(transaction);
    if (passed !== null && !this.#isOver) this.#events.progress(passed);
    if (keepalive !== null && !this.#isOver) this.#events.keepalive(keepalive.replyRequested);
  }

  end(): void {
    this.#isOver = true;
  }
}
