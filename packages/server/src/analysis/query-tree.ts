import type { PgText } from '@sluice/core/value';

/**
 * A query as Postgres resolved it, in relational terms: every name an oid or a number, every type, operator,
 * function and collation settled, views and plain WITH queries in place of their names, and nothing left of the
 * differences between versions. Plain data, whole in itself.
 *
 *   Query ── body: Select ── from: Source[] ── Relation (table | subquery | functions | values | cte)
 *        │              └─ where, groups, having, windows, distinct, targets
 *        ├─ body: SetOperation ── arms: Query
 *        └─ order, offset, limit: on top of the body
 *
 * A relation has a number that no other one in the whole tree has, so that `column` says exactly which occurrence it
 * means, within subqueries too: `up` counts the queries between (0: of this query itself).
 */
export interface Query {
  /** WITH queries that stand for themselves: recursive, MATERIALIZED, or read twice where a copy could differ. */
  readonly with: readonly Cte[];
  readonly body: Select | SetOperation;
  /** Keys of the body's targets (of a set operation: its columns, from 1). */
  readonly order: readonly SortKey[];
  readonly offset: Scalar | null;
  readonly limit: Scalar | null;
  readonly withTies: boolean;
  /** What it returns: the targets that are not junk. */
  readonly columns: readonly OutputColumn[];
}

export interface OutputColumn {
  readonly name: string;
  readonly type: TypeUse;
}

/** A type with its modifier (-1: none) and collation (0: none). */
export interface TypeUse {
  readonly oid: number;
  readonly modifier: number;
  readonly collation: number;
}

export interface Select {
  readonly kind: 'select';
  /** Several are a cross product. None: a single row without columns. */
  readonly from: readonly Source[];
  readonly where: Scalar | null;
  readonly targets: readonly Target[];
  readonly grouping: Grouping | null;
  readonly having: Scalar | null;
  readonly windows: readonly Window[];
  readonly distinct: Distinct | null;
}

export interface Target {
  readonly expression: Scalar;
  readonly name: string;
  /** Only for ordering, grouping or windows. */
  readonly junk: boolean;
  /** What keys name it by; 0 when none does. */
  readonly ref: number;
}

/** Aggregates make one row of many: for each set in turn, the groups of its keys. */
export interface Grouping {
  readonly keys: readonly Key[];
  /** Each by the `ref`s of its keys. GROUP BY a, b is one set; no keys at all is one empty set. */
  readonly sets: readonly (readonly number[])[];
  /** Written as GROUPING SETS, ROLLUP or CUBE: keys outside a row's set are NULL. */
  readonly several: boolean;
}

export interface Distinct {
  /** DISTINCT ON: the first row of each key, by `order`. */
  readonly on: boolean;
  readonly keys: readonly Key[];
}

/** A target by which rows are told apart. */
export interface Key {
  readonly ref: number;
  /** The equality operator. */
  readonly equal: number;
}

export interface SortKey {
  readonly ref: number;
  readonly equal: number;
  /** The operator that stands between a row and the next: `<`, `>`, or of another order of the type, such as `~<~`. */
  readonly operator: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface Window {
  readonly ref: number;
  readonly partition: readonly Key[];
  readonly order: readonly SortKey[];
  readonly frame: Frame;
}

export interface Frame {
  readonly mode: 'range' | 'rows' | 'groups';
  readonly start: FrameBound;
  readonly end: FrameBound;
  readonly exclude: 'nothing' | 'current row' | 'group' | 'ties';
}

export type FrameBound =
  | { readonly kind: 'unbounded preceding' | 'unbounded following' | 'current row' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: Scalar };

export interface SetOperation {
  readonly kind: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: SetArm;
  readonly right: SetArm;
  /** The types that rows are compared and returned in. */
  readonly types: readonly TypeUse[];
  /** How rows are told apart, by column; empty for UNION ALL. */
  readonly equal: readonly number[];
}

export type SetArm =
  | { readonly kind: 'query'; readonly query: Query; readonly casts: readonly (ArmCast | null)[] }
  | {
      readonly kind: 'operation';
      readonly operation: SetOperation;
      readonly casts: readonly (ArmCast | null)[];
    };

/** How an arm's column becomes of the operation's type: a function of one argument (and perhaps more), or only its name changes. */
export type ArmCast =
  | { readonly kind: 'call'; readonly fn: number }
  | { readonly kind: 'relabel' }
  | { readonly kind: 'io' }
  | { readonly kind: 'unknown' };

export type Source =
  | { readonly kind: 'relation'; readonly relation: Relation }
  | {
      readonly kind: 'join';
      readonly join: 'inner' | 'left' | 'right' | 'full';
      readonly left: Source;
      readonly right: Source;
      /** null: every pair. */
      readonly on: Scalar | null;
    };

interface RelationBase {
  readonly id: number;
  /** What the query calls it. */
  readonly name: string;
  /** Names of its columns from 1; of a table as they were when the text was read, dropped ones empty. */
  readonly columns: readonly string[];
}

export type Relation =
  | (RelationBase & {
      readonly kind: 'table';
      readonly oid: number;
      /** With the tables that inherit from it; false after ONLY. */
      readonly inherit: boolean;
    })
  | (RelationBase & {
      readonly kind: 'subquery';
      readonly query: Query;
      readonly lateral: boolean;
      /** The view that it is the definition of. */
      readonly view: number | null;
    })
  | (RelationBase & {
      readonly kind: 'functions';
      readonly functions: readonly FunctionSource[];
      readonly ordinality: boolean;
      readonly lateral: boolean;
    })
  | (RelationBase & {
      readonly kind: 'values';
      readonly rows: readonly (readonly Scalar[])[];
      readonly types: readonly TypeUse[];
      readonly lateral: boolean;
    })
  | (RelationBase & {
      readonly kind: 'cte';
      readonly cte: number;
      /** Inside the recursive part of the query itself. */
      readonly self: boolean;
    })
  | (RelationBase & { readonly kind: 'unknown'; readonly tag: string });

export interface FunctionSource {
  readonly call: Scalar;
  readonly columnCount: number;
  /** The column definition list, where there is one. */
  readonly definition: readonly OutputColumn[] | null;
}

export interface Cte {
  readonly id: number;
  readonly name: string;
  readonly columns: readonly string[];
  readonly recursive: boolean;
  readonly materialized: boolean | null;
  readonly query: Query;
  readonly search: {
    readonly breadthFirst: boolean;
    readonly by: readonly string[];
    readonly column: string;
  } | null;
  readonly cycle: {
    readonly by: readonly string[];
    readonly mark: string;
    readonly value: Scalar;
    readonly otherwise: Scalar;
    readonly path: string;
  } | null;
}

/** An expression; each node knows its type. */
export type Scalar = ScalarNode & { readonly type: TypeUse };

export type ScalarNode =
  /** `column` from 1; 0 is the whole row; below that the system columns. */
  | { readonly kind: 'column'; readonly relation: number; readonly column: number; readonly up: number }
  | { readonly kind: 'constant'; readonly value: PgText }
  /** A constant of a type whose bytes are not decoded. */
  | { readonly kind: 'undecoded' }
  /** `$n`, zero-based. */
  | { readonly kind: 'param'; readonly param: number }
  | {
      readonly kind: 'call';
      readonly fn: number;
      /** 0 when it was not written as an operator. */
      readonly operator: number;
      readonly args: readonly Scalar[];
      readonly collation: number;
      readonly form: 'call' | 'operator' | 'cast' | 'implicit cast';
      readonly variadic: boolean;
      readonly returnsSet: boolean;
    }
  | { readonly kind: 'and' | 'or'; readonly args: readonly Scalar[] }
  | { readonly kind: 'not'; readonly arg: Scalar }
  /** IS [NOT] DISTINCT FROM is `distinct`, perhaps within `not`. */
  | {
      readonly kind: 'distinct' | 'nullif';
      readonly fn: number;
      readonly operator: number;
      readonly left: Scalar;
      readonly right: Scalar;
      readonly collation: number;
    }
  | {
      readonly kind: 'any' | 'all';
      readonly fn: number;
      readonly operator: number;
      readonly left: Scalar;
      readonly array: Scalar;
      readonly collation: number;
    }
  /** `ofRow`: true when every field is (or none is). */
  | { readonly kind: 'is null' | 'is not null'; readonly arg: Scalar; readonly ofRow: boolean }
  | { readonly kind: 'is'; readonly arg: Scalar; readonly value: boolean | null; readonly negated: boolean }
  /** Searched: a simple CASE becomes one. */
  | {
      readonly kind: 'case';
      readonly arms: readonly { readonly when: Scalar; readonly result: Scalar }[];
      readonly otherwise: Scalar;
    }
  | { readonly kind: 'coalesce'; readonly args: readonly Scalar[] }
  | { readonly kind: 'greatest' | 'least'; readonly args: readonly Scalar[]; readonly collation: number }
  | {
      readonly kind: 'array';
      readonly elements: readonly Scalar[];
      readonly element: number;
      readonly nested: boolean;
    }
  | { readonly kind: 'row'; readonly fields: readonly Scalar[]; readonly names: readonly string[] }
  | {
      readonly kind: 'compare rows';
      readonly comparison: '<' | '<=' | '>=' | '>';
      readonly operators: readonly number[];
      readonly left: readonly Scalar[];
      readonly right: readonly Scalar[];
      readonly collations: readonly number[];
    }
  | { readonly kind: 'field'; readonly arg: Scalar; readonly field: number }
  /** `lower` is empty unless it is a slice; null: a bound that is left out. */
  | {
      readonly kind: 'subscript';
      readonly base: Scalar;
      readonly upper: readonly (Scalar | null)[];
      readonly lower: readonly (Scalar | null)[];
    }
  /** Another type with the same bytes. */
  | { readonly kind: 'relabel'; readonly arg: Scalar; readonly implicit: boolean }
  | { readonly kind: 'collate'; readonly arg: Scalar; readonly collation: number }
  /** By the output function of one type and the input function of the other. */
  | { readonly kind: 'io cast'; readonly arg: Scalar }
  /** Each element by `each`, in which `element` is the element. */
  | { readonly kind: 'array cast'; readonly arg: Scalar; readonly each: Scalar }
  | { readonly kind: 'element' }
  | { readonly kind: 'domain cast'; readonly arg: Scalar }
  /** A row of a table as a row of one that it inherits from. */
  | { readonly kind: 'row cast'; readonly arg: Scalar }
  /** CURRENT_DATE, CURRENT_USER and their kind. */
  | { readonly kind: 'value'; readonly name: string }
  | {
      readonly kind: 'aggregate';
      readonly fn: number;
      readonly star: boolean;
      readonly args: readonly Target[];
      /** Of an ordered-set aggregate, those before WITHIN GROUP. */
      readonly direct: readonly Scalar[];
      readonly order: readonly SortKey[];
      readonly distinct: readonly Key[];
      readonly filter: Scalar | null;
      readonly ordering: 'normal' | 'ordered set' | 'hypothetical set';
      readonly variadic: boolean;
      readonly collation: number;
      /** Of which query it is an aggregate. */
      readonly up: number;
    }
  /** GROUPING(…): by the `ref`s of the keys. */
  | {
      readonly kind: 'grouping';
      readonly refs: readonly number[];
      readonly args: readonly Scalar[];
      readonly up: number;
    }
  | {
      readonly kind: 'window';
      readonly fn: number;
      readonly star: boolean;
      readonly args: readonly Scalar[];
      readonly filter: Scalar | null;
      readonly window: number;
      /** An aggregate, over a frame. */
      readonly aggregate: boolean;
      readonly collation: number;
    }
  | { readonly kind: 'exists' | 'subquery' | 'array of'; readonly query: Query }
  /** `test` compares with `subquery column`s, row by row. */
  | {
      readonly kind: 'any of' | 'all of' | 'row of';
      readonly test: Scalar;
      readonly operator: string;
      readonly query: Query;
    }
  | { readonly kind: 'subquery column'; readonly column: number }
  /** Of a text: what has its order under a collation, by bytes; and back from there. Made by the planner alone. */
  | { readonly kind: 'order of' | 'text of'; readonly arg: Scalar; readonly collation: string }
  /** What has no form here (JSON_TABLE, XML, …), by Postgres's name for it. */
  | { readonly kind: 'unknown'; readonly tag: string };

export type ScalarOf<K extends ScalarNode['kind']> = Scalar & { readonly kind: K };
