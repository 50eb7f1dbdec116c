import type { Expression } from '@sluice/core/expression';
import type { Block } from '@sluice/core/flow/plan';
import type { PlanColumn } from '@sluice/core/plan';
import type { Facts } from '../../analysis/facts.js';
import type { Query, Scalar } from '../../analysis/query-tree.js';
import { Level, type Draft, type TableDraft } from './level.js';

/** What a table is to a plan. */
export interface PlannedTable {
  /** Attribute numbers of a unique key of NOT NULL columns that its replica identity holds. */
  readonly key: readonly number[];
  column(attnum: number): PlanColumn;
}

/** What the parts of the planner ask of each other. */
export interface Planning {
  readonly facts: Facts;
  /** One list of columns for all occurrences of a table, so that they can share its rows. @throws NotABlock */
  table(oid: number): TableDraft;
  /** The unique key of a table, by attribute numbers. */
  keyOf(oid: number): readonly number[];
  block(query: Query, level: Level): Block;
  expression(scalar: Scalar, level: Level): Expression;
}

/** Puts a subquery in place. @param relation the number that columns name it by; null for one within an expression */
export function addSubquery(
  planning: Planning,
  query: Query,
  join: Draft['join'],
  { level, relation }: { readonly level: Level; readonly relation: number | null },
): number {
  const inner = new Level(level, level.numbers);
  const block = planning.block(query, inner);
  const draft: Draft = {
    join,
    on: [],
    of: { kind: 'block', block, columns: block.project.length },
    demand: inner.demand(),
  };
  return level.add(draft, relation);
}
