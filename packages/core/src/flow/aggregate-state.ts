import type { TypeRules } from '../engine/compare.js';
import type { Expression } from '../expression.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';

/** One aggregate of one group. */
export interface AggregateState {
  /** @param key of the joined tuple: no other has it @param times that many equal ones, of a tally; 1 unless given */
  add(key: string, tuple: readonly PgText[], times?: number): void;
  remove(key: string, tuple: readonly PgText[], times?: number): void;
  result(): PgText;
  /** Of its values, by estimate; absent where it holds nothing that grows with them. */
  readonly heldBytes?: number | undefined;
}

export type AggregateFactory = () => AggregateState;

/** By their names: aggregates that the order of their values is nothing to. */
export type Folds = Readonly<Record<string, (type: ValueType | undefined, rules: TypeRules) => Accumulator>>;

/**
 * Aggregates that the order of their values is nothing to: what goes is taken off again, without looking at the
 * others. NULLs do not come.
 */
export interface Accumulator {
  add(value: string, times: number): void;
  remove(value: string, times: number): void;
  /** @throws NotReproduced when Postgres may show one of several texts */
  result(): PgText;
  readonly heldBytes?: number;
}

/** An expression of a plan with the parameters of a binding. */
export type Evaluated = (tuple: readonly PgText[]) => PgText;
export type Bind = (expression: Expression) => Evaluated;
