import type { Transaction } from '../source/transaction.js';

/*
 * Logical messages that mean something to views: commits of ours that carry no row, and the event trigger's. Each has
 * its place in the WAL like any change.
 */

/** A commit token (C26). */
export const TOKEN_PREFIX = 'sluice.token';
/** A tick of the clock: the interval in ms. */
export const CLOCK_PREFIX = 'sluice.tick';
/** Rows of the tables named (oids, comma-separated) were written anew without a word in the stream. */
export const REWRITE_PREFIX = 'sluice.rewrite';
/** The optional event trigger's message: DDL on the relations named, at its own position. */
export const DDL_PREFIX = 'sluice.ddl';

/** The commit tokens of a transaction. */
export function tokensOf(transaction: Transaction): string[] {
  return transaction.messages
    .filter(({ prefix }) => prefix === TOKEN_PREFIX)
    .map(({ content }) => `token-${Buffer.from(content).toString('utf8')}`);
}

export function isTickOf(transaction: Transaction, tickMs: number): boolean {
  const tick = String(tickMs);
  return transaction.messages.some(
    ({ prefix, content }) => prefix === CLOCK_PREFIX && Buffer.from(content).toString() === tick,
  );
}

/** Relations whose rows the transaction may have written anew. */
export function rewrittenBy(transaction: Transaction): number[] {
  return transaction.messages
    .filter(({ prefix }) => prefix === REWRITE_PREFIX || prefix === DDL_PREFIX)
    .flatMap(({ content }) => Buffer.from(content).toString().split(',').map(Number))
    .filter((oid) => Number.isInteger(oid) && oid > 0);
}
