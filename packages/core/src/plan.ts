import type { PgText } from './value.js';

/**
 * Which plans this engine runs. It is raised when a plan comes to mean something else; an addition that an older engine
 * cannot have is the name of a chunk.
 */
export const PLAN_VERSION = 1;

/** What every plan says first: whether an engine can run it, and what it has to load for it. */
export interface PlanHeader {
  readonly version: number;
  /** What it needs of the engine beyond the kernel: names of chunks (`chunks/chunk.ts`). */
  readonly chunks: readonly string[];
}

/**
 * The plan of a one-table template, maintained incrementally: select, project, order, limit.
 * Constants are lifted: every value that a query compares with is a parameter, so that two spellings of one
 * query share a template. Plain JSON; the same on server and client.
 */
export interface TablePlan extends PlanHeader {
  readonly kind: 'table';
  /** The table's oid in the registry; for a partitioned table, the root that the query names. */
  readonly table: number;
  /** Names of the columns that the plan reads; everything below refers to them by index. */
  readonly columns: readonly PlanColumn[];
  readonly where: Predicate;
  /** The output columns, as indexes into `columns`. May repeat. */
  readonly project: readonly number[];
  /** Empty when the query does not order. */
  readonly order: readonly OrderTerm[];
  /** The row's identity: indexes into `columns` of a not-null unique key. Appended to `order` (C16). */
  readonly key: readonly number[];
  readonly limit: Operand | null;
  readonly offset: Operand | null;
}

export interface PlanColumn {
  readonly name: string;
  readonly type: ValueType;
}

/** The types whose equality and order the engine reproduces; `opaque` values are only carried. */
export type ValueType =
  | {
      readonly kind:
        | 'bool'
        | 'int'
        | 'numeric'
        | 'float'
        | 'uuid'
        | 'bytea'
        | 'date'
        | 'timestamp'
        | 'timestamptz'
        | 'time'
        | 'timetz'
        | 'interval'
        | 'json'
        | 'jsonb'
        | 'inet'
        | 'mac'
        | 'bits'
        | 'opaque';
    }
  /** Equality by bytes under every deterministic collation; `ordered` only for C and ucs_basic. */
  | { readonly kind: 'text'; readonly ordered: boolean }
  /** `char(n)`: text whose trailing blanks do not count. */
  | { readonly kind: 'char'; readonly ordered: boolean }
  | { readonly kind: 'array'; readonly element: ValueType }
  | {
      readonly kind: 'range' | 'multirange';
      readonly element: ValueType;
      /** The form that ranges of the type are given: of whole numbers or days; absent where they stay as they are made. */
      readonly canonical?: 'int4' | 'int8' | 'date' | 'other';
    }
  /** A row value of which the fields are known: `ROW(…)`, or all columns of a relation. */
  | { readonly kind: 'row'; readonly fields: readonly RowField[] }
  /** In the enum's declared order. */
  | { readonly kind: 'enum'; readonly labels: readonly string[] };

export interface RowField {
  readonly name: string;
  readonly type: ValueType;
}

export interface OrderTerm {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export type Operand = { readonly column: number } | { readonly param: number };

/** Three-valued: true, false or null (unknown); a row is kept only on true. */
export type Predicate =
  | { readonly op: 'true' }
  | { readonly op: 'and' | 'or'; readonly args: readonly Predicate[] }
  | { readonly op: 'not'; readonly arg: Predicate }
  | {
      readonly op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'distinct' | 'not_distinct';
      readonly left: Operand;
      readonly right: Operand;
      /** The type that Postgres compares in. */
      readonly type: ValueType;
    }
  /** `left = ANY(array)`: the parameter is an array in Postgres's text form. */
  | {
      readonly op: 'any' | 'all_ne';
      readonly left: Operand;
      readonly array: number;
      readonly type: ValueType;
    }
  | { readonly op: 'is_null' | 'is_not_null'; readonly arg: Operand }
  /** A boolean column or parameter standing as a condition; `IS [NOT] TRUE/FALSE/UNKNOWN` around it. */
  | { readonly op: 'bool'; readonly arg: Operand }
  | { readonly op: 'is'; readonly arg: Predicate; readonly value: boolean | null; readonly negated: boolean };

/** One set of values for a template's parameters, in Postgres's canonical text; index 0 is `$1`. */
export type Binding = readonly PgText[];
