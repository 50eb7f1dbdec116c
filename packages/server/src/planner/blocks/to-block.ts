import type { Expression } from '@sluice/core/expression';
import type { Block, Demand } from '@sluice/core/flow/plan';
import type { PlanColumn } from '@sluice/core/plan';
import type { Facts } from '../../analysis/facts.js';
import { Lifted, type LiftedParam } from '../../analysis/lifted.js';
import type { Query, Relation, Scalar, ScalarOf, Select } from '../../analysis/query-tree.js';
import { sortTypeOf } from '../../analysis/comparing.js';
import { toExpression } from '../../analysis/to-expression.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import { equalitiesOf, type Equality } from './equalities.js';
import { GroupedRow } from './grouped-row.js';
import { joinsOf } from './joins.js';
import { Level, type Draft, type TableDraft } from './level.js';
import { assertOneText } from './one-text.js';
import { NotABlock } from './reasons.js';
import {
  columnOf,
  conjuncts,
  exchange,
  openSelect,
  outputOf,
  relationsIn,
  withCondition,
} from './scalars.js';

/** What a table is to a plan. */
export interface PlannedTable {
  /** Attribute numbers of a unique key of NOT NULL columns that its replica identity holds. */
  readonly key: readonly number[];
  column(attnum: number): PlanColumn;
}

export interface BlockPlan {
  readonly block: Block;
  readonly params: readonly LiftedParam[];
  /** Columns of a row that clients see; the others are for the order. */
  readonly visible: number;
}

/** @throws NotABlock, NotExpressible with the reason for the re-run gear */
export function toBlock(query: Query, facts: Facts, tableOf: (oid: number) => PlannedTable): BlockPlan {
  const lifted = new Lifted(facts);
  const planner = new BlockPlanner(facts, tableOf);
  const block = planner.block(query, new Level(null, lifted));
  return { block, params: lifted.params, visible: query.columns.length };
}

type In = ScalarOf<'any of' | 'all of' | 'row of'>;

class BlockPlanner {
  readonly #facts: Facts;
  readonly #tableOf: (oid: number) => PlannedTable;
  /** One list of columns for all occurrences of a table, so that they can share its rows. */
  readonly #tables = new Map<number, TableDraft>();

  constructor(facts: Facts, tableOf: (oid: number) => PlannedTable) {
    this.#facts = facts;
    this.#tableOf = tableOf;
  }

  block(query: Query, level: Level): Block {
    if (query.with.length > 0) throw new NotABlock('cte');
    if (query.withTies) throw new NotABlock('with_ties');
    const { body } = query;
    if (body.kind !== 'select') throw new NotABlock('set_operation');
    if (body.windows.length > 0) throw new NotABlock('window');
    if (body.distinct?.on === true) throw new NotABlock('distinct_on');
    const where = this.#from(body, level);
    const row = new GroupedRow(body, this.#facts, (scalar) => this.#expression(scalar, level));
    const project = body.targets.map(({ expression }) =>
      row.isGrouped ? this.#overGroups(expression, level, row) : this.#expression(expression, level),
    );
    const having = conjuncts(body.having).map((condition) => this.#overGroups(condition, level, row));
    const { inputs, flat } = level.finish();
    const grouped = row.finish(flat, having);
    return {
      inputs,
      where: where.map(flat),
      group: grouped,
      project: project.map((one) => (grouped === null ? flat(one) : row.settle(one))),
      distinct: body.distinct !== null && this.#tellsApart(body),
      order: query.order.map((key) => {
        const column = body.targets.findIndex((target) => target.ref === key.ref);
        const target = body.targets[column];
        if (target === undefined) throw new Error('assertion failed: what is ordered by is a target');
        sortTypeOf(key, target.expression, this.#facts);
        return { column, descending: key.descending, nullsFirst: key.nullsFirst };
      }),
      limit: this.#bound(query.limit, level),
      offset: this.#bound(query.offset, level),
      types: body.targets.map(({ expression: { type } }) =>
        valueTypeOf(type.oid, type.collation, this.#facts),
      ),
    };
  }

  /** Puts the relations of FROM in place. @returns what WHERE is left with */
  #from(select: Select, level: Level): readonly Expression[] {
    const joins = joinsOf(select);
    let conditions = [...joins.conditions, ...conjuncts(select.where)];
    const waiting = new Set(joins.inner);
    while (waiting.size > 0) {
      const next = this.#next(waiting, conditions, level);
      waiting.delete(next.relation);
      this.#place(next.relation, 'inner', next.equalities, level);
      // A subquery has taken them in; a table is looked up by them.
      conditions = conditions.filter((one) => !next.equalities.some(({ condition }) => condition === one));
    }
    for (const { relation, on } of joins.left) {
      const equalities = this.#usable(relation, on, level);
      const at = this.#place(relation, 'left', equalities, level);
      const rest = on.filter((one) => !equalities.some(({ condition }) => condition === one));
      level.drafts[at]?.on.push(...rest.map((one) => this.#expression(one, level)));
    }
    return conditions.map((one) => this.#condition(one, level));
  }

  /** The relation that hangs best on what is in place: by a key, by a parameter, by any equality. */
  #next(
    waiting: ReadonlySet<Relation>,
    conditions: readonly Scalar[],
    level: Level,
  ): { readonly relation: Relation; readonly equalities: readonly Equality[] } {
    let best: { relation: Relation; equalities: readonly Equality[]; score: number } | null = null;
    for (const relation of waiting) {
      if (
        [...relationsIn(relation)].some((id) => [...waiting].some((one) => one.id === id && one !== relation))
      )
        continue; // LATERAL: what it reads comes first
      const equalities = this.#usable(relation, conditions, level);
      const score = this.#score(relation, equalities, level);
      if (best === null || score > best.score) best = { relation, equalities, score };
    }
    if (best === null) throw new NotABlock('correlated');
    return best;
  }

  #score(relation: Relation, equalities: readonly Equality[], level: Level): number {
    if (equalities.length === 0) return 0;
    const key = relation.kind === 'table' ? this.#tableOf(relation.oid).key : [];
    if (key.length > 0 && key.every((column) => equalities.some((one) => one.column === column))) return 4;
    if (equalities.some(({ other }) => other.kind === 'param')) return 3;
    return equalities.some(({ other }) => [...relationsIn(other)].some((id) => level.has(id))) ? 2 : 1;
  }

  /** The equalities that a relation can hang by: of one other input, or of parameters alone. */
  #usable(relation: Relation, conditions: readonly Scalar[], level: Level): readonly Equality[] {
    const all = conditions
      .flatMap((condition) => equalitiesOf(condition, this.#facts))
      .filter((one) => one.relation === relation.id && this.#isReady(one.other, level))
      .filter((one) => relation.kind !== 'subquery' || this.#canTakeIn(relation, one));
    const byInput = new Map<number | null, Equality[]>();
    for (const one of all) {
      const input = this.#inputOf(one.other, level);
      byInput.set(input, [...(byInput.get(input) ?? []), one]);
    }
    const key = relation.kind === 'table' ? this.#tableOf(relation.oid).key : [];
    const ranked = [...byInput.values()].toSorted((a, b) => rank(b, key) - rank(a, key));
    return ranked[0] ?? [];
  }

  /** Whether it can be had before the relation: a plain column of an input in place, or nothing but parameters. */
  #isReady(other: Scalar, level: Level): boolean {
    const column = columnOf(other);
    if (column !== null) return level.has(column.relation) || this.#isOutside(column.relation, level);
    return other.kind === 'param' || other.kind === 'constant';
  }

  /** Of a level around this one, and not of a sibling that is not in place yet. */
  #isOutside(relation: number, level: Level): boolean {
    for (let outer = level.outer; outer !== null; outer = outer.outer) if (outer.has(relation)) return true;
    return false;
  }

  #inputOf(other: Scalar, level: Level): number | null {
    const column = columnOf(other);
    return column === null ? null : (level.inputOf(column.relation) ?? null);
  }

  #canTakeIn(relation: Relation & { readonly kind: 'subquery' }, one: Equality): boolean {
    const select = openSelect(relation.query);
    return select !== null && outputOf(select, one.column) !== null;
  }

  #place(relation: Relation, join: 'inner' | 'left', equalities: readonly Equality[], level: Level): number {
    switch (relation.kind) {
      case 'table':
        return level.add(
          {
            join,
            on: [],
            of: this.#table(relation.oid),
            demand: this.#hangs(relation.oid, equalities, level),
          },
          relation.id,
        );
      case 'subquery':
        return this.#subquery(withEqualities(relation.query, equalities), join, level, relation.id);
      case 'functions':
        throw new NotABlock('from_function');
      case 'values':
        throw new NotABlock('from_values');
      case 'cte':
        throw new NotABlock('cte');
      default:
        throw new NotABlock('from_unknown', relation.tag);
    }
  }

  #hangs(oid: number, equalities: readonly Equality[], level: Level): Demand {
    const table = this.#table(oid);
    let parent: number | null = null;
    const pairs = equalities.map(({ column, other, type }) => {
      const from = this.#expression(other, level);
      const at = this.#inputOf(other, level);
      if (at !== null) parent = at;
      const parentColumn =
        from.op === 'param' ? from.param : from.op === 'column' ? from.column % (1 << 12) : Number.NaN;
      return { column: table.columnOf(column), parentColumn, type };
    });
    return { parent, pairs };
  }

  #subquery(query: Query, join: Draft['join'], level: Level, relation: number | null): number {
    const inner = new Level(level, level.numbers);
    const block = this.block(query, inner);
    const draft: Draft = {
      join,
      on: [],
      of: { kind: 'block', block, columns: query.columns.length },
      demand: inner.demand(),
    };
    return level.add(draft, relation);
  }

  #table(oid: number): TableDraft {
    let draft = this.#tables.get(oid);
    if (draft === undefined) this.#tables.set(oid, (draft = tableDraft(oid, this.#tableOf(oid))));
    return draft;
  }

  /** A conjunct of WHERE. Here IN and NOT IN need not tell false from unknown. */
  #condition(condition: Scalar, level: Level): Expression {
    const negated = condition.kind === 'not' ? condition.arg : null;
    if (condition.kind === 'any of') return this.#isIn(condition, level);
    if (negated?.kind === 'any of') return { op: 'not', arg: this.#isIn(negated, level, true) };
    return this.#expression(condition, level);
  }

  /** @param orUnknown also when it is not known whether it is: NOT IN is true only where that is known of all */
  #isIn(scalar: In, level: Level, orUnknown = false): Expression {
    if (scalar.kind !== 'any of') throw new NotABlock('in_value');
    const select = openSelect(scalar.query);
    const test = select === null ? null : taken(scalar.test, select);
    if (select !== null && test !== null && !orUnknown)
      return this.#mark(withCondition(scalar.query, select, test), level);
    const at = this.#subquery(scalar.query, 'exists', level, null);
    const compared = toExpression(scalar.test, {
      facts: this.#facts,
      lifted: level.numbers,
      atHand: (part) =>
        part.kind === 'subquery column' ? level.columnOfInput(at, part.column) : this.#atHand(part, level),
    });
    const on: Expression = orUnknown ? { op: 'is', arg: compared, value: false, negated: true } : compared;
    level.drafts[at]?.on.push(on);
    return level.columnOfInput(at, 0);
  }

  #mark(query: Query, level: Level): Expression {
    const { body } = query;
    // What EXISTS selects does not matter, unless it decides how many rows there are.
    const bare =
      body.kind === 'select' && body.grouping === null
        ? { ...query, columns: [], order: [], body: { ...body, targets: [], distinct: null } }
        : query;
    return level.columnOfInput(this.#subquery(bare, 'exists', level, null), 0);
  }

  #expression(scalar: Scalar, level: Level): Expression {
    return toExpression(scalar, {
      facts: this.#facts,
      lifted: level.numbers,
      atHand: (part) => this.#atHand(part, level),
    });
  }

  #atHand(scalar: Scalar, level: Level): Expression | undefined {
    switch (scalar.kind) {
      case 'column':
        return scalar.column > 0 ? level.column(scalar.relation, scalar.column) : undefined;
      case 'exists':
        return this.#mark(scalar.query, level);
      case 'subquery':
        if (scalar.query.columns.length !== 1) throw new NotABlock('several_columns');
        return level.columnOfInput(this.#subquery(scalar.query, 'scalar', level, null), 0);
      case 'any of':
      case 'all of':
        throw new NotABlock('in_value');
      default:
        return undefined;
    }
  }

  #overGroups(scalar: Scalar, level: Level, row: GroupedRow): Expression {
    return toExpression(scalar, {
      facts: this.#facts,
      lifted: level.numbers,
      atHand: (part) => {
        if (part.kind === 'exists' || part.kind === 'subquery' || part.kind === 'any of')
          throw new NotABlock('subquery_of_groups');
        return row.atHand(part, (relation) => level.has(relation));
      },
    });
  }

  #tellsApart(select: Select): boolean {
    for (const { expression, junk } of select.targets) if (!junk) assertOneText(expression, this.#facts);
    return true;
  }

  /** LIMIT and OFFSET: a number, or a parameter. */
  #bound(scalar: Scalar | null, level: Level): number | null {
    if (scalar === null) return null;
    const inner = scalar.kind === 'call' && scalar.args.length === 1 ? (scalar.args[0] ?? scalar) : scalar;
    if (inner.kind !== 'constant' && inner.kind !== 'param') throw new NotABlock('limit');
    const expression = this.#expression(inner, level);
    if (expression.op !== 'param') throw new NotABlock('limit');
    return expression.param;
  }
}

function rank(equalities: readonly Equality[], key: readonly number[]): number {
  if (key.length > 0 && key.every((column) => equalities.some((one) => one.column === column))) return 3;
  return equalities.some(({ other }) => other.kind === 'param')
    ? 2
    : columnOf(equalities[0]?.other as Scalar)
      ? 1
      : 0;
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
  if (table.key.length === 0) throw new NotABlock('no_key');
  const key = table.key.map(columnOf);
  return { kind: 'table', source: { kind: 'table', table: oid, columns, key }, columnOf };
}

/** A subquery of FROM takes in what is asked of its columns, so that no more is computed than is asked for. */
function withEqualities(query: Query, equalities: readonly Equality[]): Query {
  let result = query;
  for (const { condition, relation, column } of equalities) {
    const select = openSelect(result);
    const output = select === null ? null : outputOf(select, column);
    if (select === null || output === null) throw new Error('assertion failed: it takes conditions in');
    const inside = exchange(condition, (part) =>
      part.kind === 'column' && part.relation === relation ? output : undefined,
    );
    result = withCondition(result, select, inside);
  }
  return result;
}

/** The comparison of an IN as a condition within its subquery; null when it cannot be. */
function taken(test: Scalar, select: Select): Scalar | null {
  let isWhole = true;
  const inside = exchange(test, (part) => {
    if (part.kind !== 'subquery column') return undefined;
    const output = outputOf(select, part.column);
    if (output === null) isWhole = false;
    return output ?? undefined;
  });
  return isWhole ? inside : null;
}
