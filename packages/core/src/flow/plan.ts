import type { Expression } from '../expression.js';
import type { OrderTerm, PlanColumn, ValueType } from '../plan.js';

/**
 * The plan of any query that is maintained incrementally: a tree of blocks. Plain JSON; the same on server and client.
 *
 * A block is select-project-join over its inputs, and above that at most one of each: grouping, window functions,
 * DISTINCT, order with limit. Everything else is blocks within blocks: a subquery in FROM, a LATERAL, EXISTS, a scalar subquery is a block
 * whose parameters are the values that it is correlated by. As the bindings of a query are the rows of its
 * parameters, so the rows of the parent are the bindings of its child.
 *
 * Columns: an expression reads the *flat row* of its block, the columns of all inputs side by side, `null` where an
 * input has no row. Parameters are the block's own.
 */
export interface Block {
  readonly inputs: readonly Input[];
  /** WHERE, in conjuncts. */
  readonly where: readonly Expression[];
  readonly group: Grouping | null;
  /** Over the flat row, or over the grouped row; absent where it has none. */
  readonly windows?: Windows;
  /** Output columns: over the flat row, or over the grouped row, with what window functions add to it. */
  readonly project: readonly Expression[];
  /** By output column. `distinct` leaves one of equal rows. */
  readonly distinct: boolean;
  /** DISTINCT ON these output columns: of equal ones the first in order is left. */
  readonly distinctOn?: readonly number[];
  readonly order: readonly OrderTerm[];
  /** Parameters. */
  readonly limit: number | null;
  readonly offset: number | null;
  /** With the last row of the limit come those that are equal to it in the order. */
  readonly withTies?: boolean;
  /** Instead of a join: UNION, INTERSECT, EXCEPT of the inputs. There are no `where` and no `group` then. */
  readonly sets?: Sets;
  /** Instead of a join: the flat rows are made of the parameters. There are no inputs then. */
  readonly rows?: ComputedRows;
  /** Of the whole query: what Postgres works out before it runs it. What they raise it raises, whatever the rows are. */
  readonly constants?: readonly Expression[];
  /** Types of the output columns: for order, equality and what reads them. */
  readonly types: readonly ValueType[];
}

export interface Input {
  readonly of: Source | Subquery;
  /**
   * `inner` and `left` as in SQL. `exists` has one column, whether there is a row; `scalar` is `left` with at most one
   * row, else Postgres raises an error.
   */
  readonly join: 'inner' | 'left' | 'exists' | 'scalar';
  /** What ON says of it, in conjuncts, beside the equalities of `demand`. */
  readonly on: readonly Expression[];
  /** Where its columns begin in the flat row, and how many they are. */
  readonly offset: number;
  readonly width: number;
  /** Which of its rows are looked at: those that agree with a row of the parent. */
  readonly demand: Demand;
}

/** A table, in the columns that the plan reads. */
export interface Source {
  readonly kind: 'table';
  readonly table: number;
  readonly columns: readonly PlanColumn[];
  /** Its identity: indexes into `columns` of a not-null unique key. */
  readonly key: readonly number[];
  /**
   * Its rows are not held and have no key: the stream brings of every change the whole row before and after. It is the
   * only input of its block, which aggregates it by what needs no single row.
   */
  readonly tallied?: true;
}

export interface Subquery {
  readonly kind: 'block';
  readonly block: Block;
}

/**
 * The edge of the demand tree that leads to an input: for a row of the parent, the rows whose `columns` equal the
 * parent's. Of a subquery the columns are its parameters, all of them, in their order; it may be given parameters of
 * the block as well as columns of the parent.
 */
export interface Demand {
  /** An input of the same block that comes before; null: the block's bindings, whose columns are its parameters. */
  readonly parent: number | null;
  readonly pairs: readonly DemandPair[];
}

export interface DemandPair {
  /** Index within the input. */
  readonly column: number;
  /** Index within the parent. */
  readonly parentColumn: number;
  /** An index into the block's parameters instead, whatever the parent. Of a subquery alone. */
  readonly ofParams?: boolean;
  readonly type: ValueType;
}

/**
 * The rows of the inputs are not joined: each stands by itself, and how often equal ones are there is what the
 * operation makes of how often they are in each input. The flat row is the number of the input, then its columns as
 * the operation has them. Equal values are printed the same, unless all is UNION ALL.
 */
export interface Sets {
  /** By input: the columns of the operation, over the input's row. */
  readonly arms: readonly (readonly Expression[])[];
  readonly operation: SetOperation;
}

/** Lists side by side, as ROWS FROM has them: the shorter ones are filled up with NULLs. */
export interface ComputedRows {
  readonly lists: readonly ComputedList[];
  /** WITH ORDINALITY: one more column, the number of the row. */
  readonly ordinality: boolean;
}

/** Over parameters alone. */
export type ComputedList =
  | { readonly kind: 'values'; readonly width: number; readonly rows: readonly (readonly Expression[])[] }
  /** A function that returns a set, by the name of its C function. */
  | {
      readonly kind: 'function';
      readonly width: number;
      readonly fn: string;
      readonly args: readonly Expression[];
      readonly types: readonly ValueType[];
    };

export type SetOperation =
  | { readonly input: number }
  | {
      readonly op: 'union' | 'intersect' | 'except';
      readonly all: boolean;
      readonly left: SetOperation;
      readonly right: SetOperation;
    };

/** One row per group: the keys, then the aggregates, then the answers of GROUPING. */
export interface Grouping {
  readonly keys: readonly Expression[];
  readonly types: readonly ValueType[];
  readonly aggregates: readonly Aggregate[];
  /** HAVING, over the grouped row. */
  readonly having: readonly Expression[];
  /** GROUPING SETS: for each its keys, by index; the others are NULL in its rows. Without it all keys are one set. */
  readonly sets?: readonly (readonly number[])[];
  /** For each GROUPING(…) its keys, by index: a bit for each, 1 where it is not in the set. */
  readonly marks?: readonly (readonly number[])[];
}

export interface Aggregate {
  /**
   * `pg_proc.prosrc` does not tell aggregates apart; here what is done with the values: `count`, `sum_int8`, `min`,
   * `json_agg`, … (`accumulators.ts`, `lists.ts`)
   */
  readonly fn: string;
  readonly args: readonly Expression[];
  readonly types: readonly ValueType[];
  readonly distinct: boolean;
  /** What ORDER BY inside leaves open, or all when there is none, is settled by the keys of the joined rows. */
  readonly order: readonly {
    readonly expression: Expression;
    readonly term: OrderTerm;
    readonly type: ValueType;
  }[];
  readonly filter: Expression | null;
  /** Of `fold`: the next state, of the state so far (column 0) and a value (column 1). */
  readonly step?: Expression;
}

/** The window functions of a block, over its flat or grouped row: their values are the columns from `at` on. */
export interface Windows {
  readonly at: number;
  readonly over: readonly WindowPlan[];
}

/** Functions that share PARTITION BY, ORDER BY and frame. */
export interface WindowPlan {
  readonly partition: readonly { readonly expression: Expression; readonly type: ValueType }[];
  readonly order: readonly WindowOrder[];
  readonly frame: FramePlan;
  /** In the order of their columns. */
  readonly functions: readonly WindowFunction[];
}

export interface WindowOrder {
  readonly expression: Expression;
  readonly type: ValueType;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface FramePlan {
  readonly mode: 'rows' | 'range' | 'groups';
  readonly start: FrameBoundPlan;
  readonly end: FrameBoundPlan;
  readonly exclude: 'nothing' | 'current row' | 'group' | 'ties';
}

export type FrameBoundPlan =
  | { readonly kind: 'unbounded preceding' | 'unbounded following' | 'current row' }
  | {
      readonly kind: 'preceding' | 'following';
      /** Reads no row. */
      readonly offset: Expression;
      /** Of RANGE alone. */
      readonly range: RangePlan | null;
    };

/** RANGE with an offset: the frame begins, or ends, where the `key` of a row passes the `limit` of the row at hand. */
export interface RangePlan {
  readonly key: Expression;
  readonly limit: Expression;
  readonly type: ValueType;
  readonly offsetType: ValueType;
}

export type WindowFunction =
  | { readonly kind: 'function'; readonly fn: WindowName; readonly args: readonly Expression[] }
  | {
      readonly kind: 'aggregate';
      readonly aggregate: Aggregate;
      /** What it makes of rows depends on their order, which is the window's. */
      readonly ordered: boolean;
    };

export const WINDOW_NAMES = [
  'row_number',
  'rank',
  'dense_rank',
  'percent_rank',
  'cume_dist',
  'ntile',
  'lag',
  'lead',
  'first_value',
  'last_value',
  'nth_value',
] as const;
export type WindowName = (typeof WINDOW_NAMES)[number];
