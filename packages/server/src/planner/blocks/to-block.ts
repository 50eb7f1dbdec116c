import { constantParts } from './constant-parts.js';
import { assert } from '@sluice/core/assert';
import type { Expression } from '@sluice/core/expression';
import type { Block, Grouping, Input } from '@sluice/core/flow/plan';
import type { PlanColumn } from '@sluice/core/plan';
import type { Facts } from '../../analysis/facts.js';
import { Lifted, type LiftedParam } from '../../analysis/lifted.js';
import type { Query, Scalar, Select, Target } from '../../analysis/query-tree.js';
import { sortTypeOf } from '../../analysis/comparing.js';
import { toExpression } from '../../analysis/to-expression.js';
import { withOrderTokens } from '../../analysis/order-tokens.js';
import { typeOfScalar } from '../../analysis/value-type.js';
import { distinctOn } from './distinct-on.js';
import { planAggregate } from './aggregates.js';
import { Expressions, type AtHand } from './expressions.js';
import { flattened } from './flattened.js';
import { placeFrom } from './from.js';
import { GroupedRow } from './grouped-row.js';
import { withGroupsApart } from './groups-apart.js';
import { Level, type TableDraft } from './level.js';
import { toldApart } from './told-apart.js';
import type { PlannedTable, Planning } from './planning.js';
import { normalised } from './normalised.js';
import { readsTwice } from './reads-twice.js';
import { NotABlock } from './reasons.js';
import { setBlock } from './set-block.js';
import { conjuncts } from './scalars.js';
import { openOrders, orderOfFrom } from './orders-within.js';
import { withRowsWritten } from './written-rows.js';
import { WindowColumns } from './windows.js';

export interface BlockPlan {
  readonly block: Block;
  readonly params: readonly LiftedParam[];
  /** Columns of a row that clients see; the others are for the order. */
  readonly visible: number;
  /** What the query leaves open, and Sluice settles by keys (C16): a sentence each. */
  readonly open: readonly string[];
}

export interface ToBlockOptions {
  /** Whoever runs the plan asks Postgres for orders of texts: see `TextOrders`. Default false. */
  readonly textOrders?: boolean;
}

/** @throws NotABlock, NotExpressible with the reason for the re-run gear */
export function toBlock(
  query: Query,
  facts: Facts,
  tableOf: (oid: number) => PlannedTable,
  { textOrders = false }: ToBlockOptions = {},
): BlockPlan {
  const lifted = new Lifted(facts);
  const planner = new BlockPlanner(facts, tableOf);
  const written = withRowsWritten(query, facts, (oid) => tableOf(oid).key);
  const ordered = textOrders ? withOrderTokens(written, facts) : written;
  const flat = flattened(planner.block(ordered, new Level(null, lifted)));
  const block = { ...flat, constants: constantParts(flat) };
  return { block, params: lifted.params, visible: query.columns.length, open: [...planner.open] };
}

class BlockPlanner implements Planning {
  readonly facts: Facts;
  readonly #expressions = new Expressions(this);
  readonly #tableOf: (oid: number) => PlannedTable;
  /** One list of columns for all occurrences of a table, so that they can share its rows. */
  readonly #tables = new Map<number, TableDraft>();
  readonly open = new Set<string>();
  /** Of relations that are made here. */
  #nextRelation = FIRST_RELATION;

  constructor(facts: Facts, tableOf: (oid: number) => PlannedTable) {
    this.facts = facts;
    this.#tableOf = tableOf;
  }

  block(original: Query, level: Level): Block {
    const fresh = (): number => this.#nextRelation++;
    const query = withGroupsApart(original, fresh);
    if (query.with.length > 0) throw new NotABlock('cte');
    if (query.body.kind !== 'select')
      return {
        ...setBlock(query, query.body, level, this),
        ...this.#bounds(query, level),
      };
    if (query.body.grouping?.several === true && readsTwice(query.body.from))
      throw new NotABlock('grouped_twice');
    const body = normalised(query.body, this.facts, fresh);
    const where = placeFrom(body, level, this).map((one) => this.#expressions.condition(one, level));
    const row = new GroupedRow(body, {
      facts: this.facts,
      below: (scalar) => this.expression(scalar, level),
      inherited: orderOfFrom(body, level),
    });
    const over = (scalar: Scalar, also?: AtHand): Expression =>
      row.isGrouped ? this.#overGroups(scalar, level, row, also) : this.#expressions.of(scalar, level, also);
    const windows = new WindowColumns({
      select: body,
      facts: this.facts,
      below: (scalar) => over(scalar),
      aggregate: (scalar) =>
        planAggregate(scalar, { facts: this.facts, below: (part) => over(part), inherited: [] }),
    });
    const targets = shownTargets(query, body);
    const project = targets.map(({ expression }) => over(expression, (part) => windows.atHand(part)));
    windows.plan();
    const having = conjuncts(body.having).map((condition) => this.#overGroups(condition, level, row));
    const { inputs, flat } = level.finish();
    if (isCutBelow(query, inputs)) throw new NotABlock('order_below');
    const grouped = row.finish(flat, having);
    for (const note of openOrders(grouped, inputs)) this.open.add(note);
    const settle = (one: Expression): Expression => (grouped === null ? flat(one) : row.settle(one));
    const width = grouped === null ? widthOf(inputs) : widthOfGroups(grouped);
    const added = windows.finish(settle, width);
    return {
      inputs,
      where: where.map(flat),
      group: grouped,
      ...(added.windows === undefined ? {} : { windows: added.windows }),
      project: project.map((one) => added.settle(settle(one))),
      distinct: body.distinct?.on === false && this.#tellsApart(body),
      ...distinctOn(query, body, targets, this.facts),
      order: query.order.map((key) => {
        const column = targets.findIndex((target) => target.ref === key.ref);
        const target = targets[column];
        if (target === undefined) throw new Error('assertion failed: what is ordered by is a target');
        sortTypeOf(key, target.expression, this.facts);
        return { column, descending: key.descending, nullsFirst: key.nullsFirst };
      }),
      ...this.#bounds(query, level),
      types: targets.map(({ expression }) => typeOfScalar(expression, expression.type.collation, this.facts)),
    };
  }

  expression(scalar: Scalar, level: Level): Expression {
    return this.#expressions.of(scalar, level);
  }

  keyOf(oid: number): readonly number[] {
    return this.#tableOf(oid).key;
  }

  table(oid: number): TableDraft {
    let draft = this.#tables.get(oid);
    if (draft === undefined) this.#tables.set(oid, (draft = tableDraft(oid, this.#tableOf(oid))));
    return draft;
  }

  #overGroups(scalar: Scalar, level: Level, row: GroupedRow, also?: AtHand): Expression {
    return toExpression(scalar, {
      facts: this.facts,
      lifted: level.numbers,
      atHand: (part) => {
        const known = also?.(part);
        if (known !== undefined) return known;
        return row.atHand(part, (relation) => level.has(relation));
      },
    });
  }

  #tellsApart(select: Select): boolean {
    for (const { expression, junk } of select.targets) if (!junk) toldApart(expression, this.facts);
    return true;
  }

  #bounds(query: Query, level: Level): Pick<Block, 'limit' | 'offset' | 'withTies'> {
    const limit = this.#bound(query.limit, level);
    const offset = this.#bound(query.offset, level);
    return { limit, offset, ...(query.withTies ? { withTies: true } : {}) };
  }

  /** LIMIT and OFFSET: a number, or a parameter. */
  #bound(scalar: Scalar | null, level: Level): number | null {
    if (scalar === null) return null;
    const inner = scalar.kind === 'call' && scalar.args.length === 1 ? (scalar.args[0] ?? scalar) : scalar;
    if (inner.kind !== 'constant' && inner.kind !== 'param') throw new NotABlock('limit');
    const expression = this.expression(inner, level);
    if (expression.op !== 'param') throw new NotABlock('limit');
    return expression.param;
  }
}

/** Rows that a subquery hands on in its order are cut in it. */
function isCutBelow({ limit, offset, order }: Query, inputs: readonly Input[]): boolean {
  if ((limit === null && offset === null) || order.length > 0) return false;
  return inputs.some(
    ({ of, join }) =>
      of.kind === 'block' && of.block.order.length > 0 && join !== 'exists' && join !== 'scalar',
  );
}

const FIRST_RELATION = 1 << 20;

/** What clients see, and what rows are ordered or told apart by. */
function shownTargets(query: Query, { targets, distinct }: Select): readonly Target[] {
  const keys = [...query.order, ...(distinct?.on === true ? distinct.keys : [])];
  return targets.filter(({ junk, ref }) => !junk || keys.some((key) => key.ref === ref));
}

function widthOf(inputs: readonly Input[]): number {
  return inputs.reduce((width, one) => Math.max(width, one.offset + one.width), 0);
}

function widthOfGroups({ keys, aggregates, marks = [] }: Grouping): number {
  return keys.length + aggregates.length + marks.length;
}

function tableDraft(oid: number, table: PlannedTable): TableDraft {
  const columns: PlanColumn[] = [];
  const places = new Map<number, number>();
  const columnOf = (attnum: number): number => {
    let at = places.get(attnum);
    if (at === undefined) {
      at = columns.push(table.column(attnum)) - 1;
      places.set(attnum, at);
    }
    return at;
  };
  assert(table.key.length > 0, 'a table of blocks has a key');
  const key = table.key.map(columnOf);
  return { kind: 'table', source: { kind: 'table', table: oid, columns, key }, columnOf };
}
