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
/** Who may read the tables named (oids, comma-separated), or what functions do, has changed: rows have not. */
export const ACCESS_PREFIX = 'sluice.access';
/** The optional event trigger's message: DDL on the relations named, at its own position. */
export const DDL_PREFIX = 'sluice.ddl';

const NONE: readonly never[] = [];

/** The commit tokens of a transaction. */
export function tokensOf(transaction: Transaction): readonly string[] {
  if (transaction.messages.length === 0) return NONE;
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
export function rewrittenBy(transaction: Transaction): readonly number[] {
  return namedBy(transaction, [REWRITE_PREFIX, DDL_PREFIX]);
}

/** Whether the event trigger tells of DDL in it. */
export function isAltering(transaction: Transaction): boolean {
  return transaction.messages.some(({ prefix }) => prefix === DDL_PREFIX);
}

/** Relations that DDL named. */
export function alteredBy(transaction: Transaction): readonly number[] {
  return namedBy(transaction, [DDL_PREFIX]);
}

/** DDL on something that is no relation (a function, an operator, a cast), or on what is gone. */
export function altersOther(transaction: Transaction): boolean {
  return transaction.messages.some(({ prefix, content }) => prefix === DDL_PREFIX && content.length === 0);
}

/** Relations that other roles may read now than before. */
export function regrantedBy(transaction: Transaction): readonly number[] {
  return namedBy(transaction, [ACCESS_PREFIX]);
}

export function changesAccess(transaction: Transaction): boolean {
  return transaction.messages.some(({ prefix }) => prefix === ACCESS_PREFIX);
}

function namedBy(transaction: Transaction, prefixes: readonly string[]): readonly number[] {
  if (transaction.messages.length === 0) return NONE;
  return transaction.messages
    .filter(({ prefix }) => prefixes.includes(prefix))
    .flatMap(({ content }) => Buffer.from(content).toString().split(',').map(Number))
    .filter((oid) => Number.isInteger(oid) && oid > 0);
}
