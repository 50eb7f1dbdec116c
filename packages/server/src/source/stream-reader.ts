import type { Lsn } from '@sluice/core/lsn';
import { PgoutputDecoder } from './pgoutput.js';
import type { StreamHandler } from './replication-connection.js';
import type { Transaction } from './transaction.js';
import { TransactionBuilder } from './transaction-builder.js';

export interface StreamEvents {
  readonly transaction: (transaction: Transaction) => void;
  /** Nothing committed up to here that was not told. */
  readonly progress: (lsn: Lsn) => void;
  readonly keepalive: (replyRequested: boolean) => void;
}

/**
 * One connection's stream made into transactions, from a position on. What was told before (the slot sends again what
 * was not confirmed) is skipped by its commit's LSN; what was not committed when the connection breaks goes with it.
 */
export class StreamReader implements StreamHandler {
  readonly #decoder = new PgoutputDecoder();
  readonly #builder: TransactionBuilder;
  readonly #events: StreamEvents;
  #position: Lsn;

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
    if (changes.length > 0 || bulk.size > 0 || messages.length > 0) this.#events.transaction(transaction);
    else this.#events.progress(transaction.lsn);
  }

  keepalive(lsn: Lsn, replyRequested: boolean): void {
    // Within a transaction nothing that is on its way may be passed over: its commit lies ahead of every keepalive,
    // and this does not rely on it.
    if (lsn > this.#position && !this.#builder.inTransaction) {
      this.#position = lsn;
      this.#events.progress(lsn);
    }
    this.#events.keepalive(replyRequested);
  }
}
