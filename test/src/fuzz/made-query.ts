import type { QueryContext, Scope } from './random-expression.js';
import { sequence, type Sql } from './sql-tree.js';
import type { TypeName } from './value-pools.js';

/** What FROM may name. */
export interface Relation {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: TypeName }[];
  /** Columns that tell its rows apart; null when none do. */
  readonly key: readonly string[] | null;
}

/** A query in the making: its parts are kept apart, since the rule of comparing needs it without its LIMIT. */
export interface Made {
  readonly body: Sql;
  readonly order: Sql;
  readonly limit: Sql;
  readonly columns: readonly { readonly name: string; readonly type: TypeName }[];
  readonly ordering: Ordering;
}

/**
 * How far ORDER BY settles the answer: not at all; by the columns of these numbers (from 0), with ties; or whole.
 */
export type Ordering =
  { readonly kind: 'none' | 'total' } | { readonly kind: 'columns'; readonly columns: readonly number[] };

export function whole({ body, order, limit }: Made): Sql {
  return sequence([body, order, limit]);
}

export interface Wanted {
  /** Types of the columns that are asked for; null: any. */
  readonly types: readonly TypeName[] | null;
  readonly depth: number;
  /** Whether it may have an order and a limit: then a total one. */
  readonly limited: boolean;
}

/** What parts of a query ask for subqueries. */
export interface SubqueryMaker {
  readonly context: QueryContext;
  readonly relations: readonly Relation[];
  /** A name that no other has. */
  name(prefix: string): string;
  query(outer: Scope | null, wanted: Wanted): Made;
}
