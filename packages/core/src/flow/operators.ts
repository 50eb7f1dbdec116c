import type { TypeRules } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import type { Accumulator, AggregateFactory, Bind, Folds } from './aggregate-state.js';
import type { MakeGroups } from './group.js';
import type { ListMaker, ListOptions } from './lists.js';
import type { Aggregate, Block, ComputedRows, SetOperation, Windows } from './plan.js';
import type { Change } from './row.js';

/** A part of a block that takes changes and hands changes on. */
export interface Stage {
  apply(changes: readonly Change[]): Change[];
}

/** The operators that are rarer than joins, groups and orders, each in a chunk. `Compile` is the compiler of the plan. */
export interface Operators<Compile> {
  /** What keeps groups in the place of the kernel's. */
  readonly groups?: MakeGroups;
  readonly windows?: (plan: Windows, params: readonly PgText[], compile: Compile) => Stage;
  readonly sets?: (operation: SetOperation, types: readonly ValueType[], rules: TypeRules) => Stage;
  readonly distinct?: (types: readonly ValueType[], rules: TypeRules) => Stage;
  readonly distinctOn?: (plan: Block, on: readonly number[], rules: TypeRules) => Stage;
  readonly rows?: (
    plan: ComputedRows,
    compile: Compile,
  ) => (params: readonly PgText[]) => readonly (readonly PgText[])[];
  /** Aggregates that show all their values. */
  readonly lists?: (plan: Aggregate, bind: Bind, compile: Compile) => AggregateFactory;
  /** Of these all but lists of JSON. */
  readonly rarerLists?: (fn: string, options: ListOptions) => ListMaker;
  /** Aggregates beyond counts, by their names. */
  readonly folds?: Folds;
  /** DISTINCT in a count, or in one of `folds`. */
  readonly distinctFold?: (
    inner: Accumulator,
    key: (value: string) => string,
    plan: Pick<Aggregate, 'fn' | 'types'>,
  ) => Accumulator;
}
