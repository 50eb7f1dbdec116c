import { assert } from '@sluice/core/assert';
import type { Lsn } from '@sluice/core/lsn';
import { appended } from '@sluice/core/few';
import { sourceError } from './errors.js';
import type { PgoutputMessage } from './pgoutput.js';
import type { Change, LogicalMessage, Relation, Transaction } from './transaction.js';

/** `appended` makes another list of it. */
const NO_CHANGES: Change[] = [];
const NO_BULK: Transaction['bulk'] = new Map();
const NO_MESSAGES: Transaction['messages'] = [];

/** What a change costs besides its bytes: objects of the decoder. */
const CHANGE_OVERHEAD_BYTES = 120;

/**
 * Puts the messages between BEGIN and COMMIT together. Memory is bounded: when the changes of one transaction grow
 * beyond `transactionBytesMax`, the relation with the most bytes is collapsed to a bulk marker, then the next one.
 * What was not committed when the connection broke is thrown away with the builder.
 *
 * Most transactions have one change, and outlive it in part: until a snapshot sees them they are retained. So little is
 * made for one.
 */
export class TransactionBuilder {
  readonly #bytesMax: number;
  /** Of the open transaction; null when there is none. */
  #xid: number | null = null;
  #changes: Change[] = NO_CHANGES;
  /** What each of them costs. */
  #costs: number[] = [];
  #bulk: Map<number, Relation> | null = null;
  #messages: LogicalMessage[] | null = null;
  #bytes = 0;

  constructor(transactionBytesMax: number) {
    this.#bytesMax = transactionBytesMax;
  }

  /** Between BEGIN and COMMIT. */
  get inTransaction(): boolean {
    return this.#xid !== null;
  }

  /**
   * @param bytes the size of the message as it came.
   * @returns the transaction, at its commit.
   */
  add(message: PgoutputMessage, bytes: number, previous: Lsn): Transaction | null {
    switch (message.kind) {
      case 'begin':
        if (this.inTransaction) throw sourceError('stream_malformed', 'a transaction within a transaction');
        this.#xid = message.xid;
        return null;
      case 'commit':
        return this.#commit(message.endLsn, previous);
      case 'insert':
      case 'update':
      case 'delete':
        this.#add(message, bytes);
        return null;
      case 'truncates':
        for (const relation of message.relations) this.#add({ kind: 'truncate', relation }, bytes);
        return null;
      case 'message':
        // Those outside of transactions come out of commit order: nothing can be built on them.
        if (message.transactional) this.#addMessage(message, bytes);
        return null;
      case 'origin':
      case 'relation':
      case 'type':
        return null;
    }
  }

  #add(change: Change, bytes: number): void {
    this.#opened();
    if (this.#bulk?.has(change.relation.oid) === true) return;
    const cost = bytes + CHANGE_OVERHEAD_BYTES;
    this.#costs[this.#changes.length] = cost;
    this.#changes = appended(this.#changes, change);
    this.#bytes += cost;
    while (this.#bytes > this.#bytesMax && this.#changes.length > 0) this.#collapseLargest();
  }

  #addMessage(message: LogicalMessage, bytes: number): void {
    this.#opened();
    this.#messages ??= [];
    this.#messages.push({ prefix: message.prefix, content: message.content });
    this.#bytes += bytes + CHANGE_OVERHEAD_BYTES;
  }

  #commit(lsn: Lsn, previous: Lsn): Transaction {
    const transaction: Transaction = {
      xid: this.#opened(),
      lsn,
      previous,
      changes: this.#changes,
      bulk: this.#bulk ?? NO_BULK,
      messages: this.#messages ?? NO_MESSAGES,
      bytes: this.#bytes,
    };
    this.#xid = null;
    this.#changes = NO_CHANGES;
    // That of a single change is written over by the next.
    if (this.#costs.length > 1) this.#costs = [];
    this.#bulk = null;
    this.#messages = null;
    this.#bytes = 0;
    return transaction;
  }

  #opened(): number {
    if (this.#xid === null) throw sourceError('stream_malformed', 'a change outside of a transaction');
    return this.#xid;
  }

  #collapseLargest(): void {
    const bytesOf = new Map<number, number>();
    for (const [at, { relation }] of this.#changes.entries())
      bytesOf.set(relation.oid, (bytesOf.get(relation.oid) ?? 0) + (this.#costs[at] ?? 0));
    const [oid, bytes] = [...bytesOf].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
    const relation = this.#changes.find((change) => change.relation.oid === oid)?.relation;
    assert(relation, 'a relation with bytes has a change');
    this.#bulk ??= new Map();
    this.#bulk.set(oid, relation);
    const isKept = this.#changes.map((change) => change.relation.oid !== oid);
    this.#changes = this.#changes.filter((_, at) => isKept[at]);
    this.#costs = this.#costs.filter((_, at) => isKept[at]);
    this.#bytes -= bytes;
  }
}

/** The same transaction without its changes: anything may have happened in the relations that it touched. */
export function collapse(transaction: Transaction): Transaction {
  const bulk = new Map(transaction.bulk);
  for (const change of transaction.changes) bulk.set(change.relation.oid, change.relation);
  const bytes = (bulk.size + transaction.messages.length + 1) * CHANGE_OVERHEAD_BYTES;
  return { ...transaction, changes: [], bulk, bytes };
}
