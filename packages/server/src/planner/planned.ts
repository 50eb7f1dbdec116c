import type { Expression } from '@sluice/core/expression';
import type { Block } from '@sluice/core/flow/plan';
import type { PlanHeader, TablePlan, ValueType } from '@sluice/core/plan';
import type { Shape } from '@sluice/core/shape';

/** What the planner makes of a query text. Says everything that `views` needs; no view asks the catalog again. */
export interface Planned {
  /** Hash of what the plan does, under the registry it was made with: two spellings of one query share it. */
  readonly template: string;
  readonly shape: Shape;
  /** The type of each of the query's own parameters, as Postgres resolved it; index 0 is `$1`. */
  readonly paramTypes: readonly ParamType[];
  /** Every table whose changes may change the answer (oid; a partitioned table stands for all of its leaves). */
  readonly reads: readonly number[];
  /** Some function or policy could not be seen into: run again at every transaction (C22). */
  readonly readsAnything: boolean;
  /** Views that it reads through: when a definition changes, the plan is void. */
  readonly views: readonly number[];
  /** Functions, operators or casts that are not Postgres's own take part: a change of `Registry.globalHash` voids the plan. */
  readonly userCode: boolean;
  /** Output columns that identify a row when no two rows agree in them; null when none is known (C16). */
  readonly keyColumns: readonly number[] | null;
  /** The query reads the clock: `tick` says how often. */
  readonly readsClock: boolean;
  /** Which changes can matter to it when it is run again (C9); null when any change of `reads` may. */
  readonly concern: Concern | null;
  readonly gear: Gear;
}

export interface ParamType {
  readonly oid: number;
  /** Castable name, schema-qualified and quoted where needed: `pg_catalog.int4`, `public."Status"[]`. */
  readonly name: string;
}

export type Gear =
  IncrementalPlan | { readonly kind: 'rerun'; readonly sql: RerunSql; readonly reason: string };

export interface IncrementalPlan {
  readonly kind: 'incremental';
  readonly plan: TablePlan | BlockPlan;
  /** The plan's parameters: the query's own, then lifted constants (value in the query's text, to be cast to the type). */
  readonly params: readonly PlanParam[];
  /** How it is run again where the engine cannot tell; null where it always can. */
  readonly fallback: RerunSql | null;
}

/** Blocks within blocks: see `core/flow/plan.ts`. */
export interface BlockPlan extends PlanHeader {
  readonly kind: 'blocks';
  readonly block: Block;
  /** Columns of a row that clients see; those behind them are for the order. */
  readonly visible: number;
}

export type PlanParam =
  | { readonly kind: 'param'; readonly index: number; readonly type: ParamType }
  | { readonly kind: 'constant'; readonly value: string | null; readonly type: ParamType };

/**
 * Predicates lifted from a query (C9): with each place where it reads a table narrowed to the rows that meet the place's
 * conditions, it gives the same answer. So a row that meets those of no place changes nothing, whether it comes or goes.
 */
export interface Concern {
  /** What expressions number: the query's own parameters, and constants in canonical text. */
  readonly params: readonly PlanParam[];
  /** Of a table that is not here any row may matter. */
  readonly tables: readonly TableConcern[];
}

export interface TableConcern {
  readonly table: number;
  /** Those that are read here, with their types: under any other, what a change holds says nothing. */
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
  readonly places: readonly PlaceConcern[];
}

/** A row matters in a place when all of it is true. Columns are those of the table's concern. */
export interface PlaceConcern {
  readonly keys: readonly KeyConcern[];
  readonly conditions: readonly Expression[];
}

/** The column equals a value that is made of parameters; `any`: an element of the array that is. */
export interface KeyConcern {
  readonly column: number;
  readonly type: ValueType;
  readonly value: Expression;
  readonly any: boolean;
}

/** The query's own text, cut where its parameters stand, so that it can run alone or batched over bindings. */
export interface RerunSql {
  /** `pieces[0] $refs[0] pieces[1] $refs[1] …`: one piece more than refs. */
  readonly pieces: readonly string[];
  /** Zero-based parameter indexes. */
  readonly refs: readonly number[];
  /** Whether a batch may put the statement into LATERAL; else it is repeated. See `rerun-sql.ts`. */
  readonly lateral: boolean;
}
