import type { Expression } from '../expression.js';
import type { PgText } from '../value.js';

/** One aggregate of one group. */
export interface AggregateState {
  /** @param key of the joined tuple: no other has it */
  add(key: string, tuple: readonly PgText[]): void;
  remove(key: string, tuple: readonly PgText[]): void;
  result(): PgText;
}

export type AggregateFactory = () => AggregateState;

/**
 * Aggregates that the order of their values is nothing to: what goes is taken off again, without looking at the
 * others. NULLs do not come.
 */
export interface Accumulator {
  add(value: string): void;
  remove(value: string): void;
  /** @throws NotReproduced when Postgres may show one of several texts */
  result(): PgText;
}

/** An expression of a plan with the parameters of a binding. */
export type Evaluated = (tuple: readonly PgText[]) => PgText;
export type Bind = (expression: Expression) => Evaluated;
