import { must } from '@sluice/core/assert';
import type { Demand } from '@sluice/core/flow/plan';
import type { Query, Relation, Scalar, Select } from '../../analysis/query-tree.js';
import { addComputed } from './computed.js';
import { equalitiesOf, type Equality } from './equalities.js';
import { joinsOf, type LeftJoin } from './joins.js';
import type { Level } from './level.js';
import { addSubquery, type Planning } from './planning.js';
import { NotABlock } from './reasons.js';
import { narrowed } from './narrowed.js';
import { columnOf, conjuncts, relationsIn } from './scalars.js';

/** Puts the relations of FROM in place. @returns what WHERE is left with @throws NotABlock */
export function placeFrom(select: Select, level: Level, planning: Planning): readonly Scalar[] {
  return new FromPlanner(level, planning).from(select);
}

class FromPlanner {
  readonly #level: Level;
  readonly #planning: Planning;

  constructor(level: Level, planning: Planning) {
    this.#level = level;
    this.#planning = planning;
  }

  from(select: Select): readonly Scalar[] {
    const joins = joinsOf(select);
    let conditions = [...joins.conditions, ...conjuncts(select.where)];
    const inner = new Set(joins.inner);
    const left = new Set(joins.left);
    while (inner.size > 0 || left.size > 0) {
      const waiting = new Set([...inner, ...[...left].map(({ relation }) => relation)].map(({ id }) => id));
      const next = this.#next(inner, waiting, conditions);
      if (next === null) {
        this.#placeLeft(left, waiting);
        continue;
      }
      inner.delete(next.relation);
      this.#place(next.relation, 'inner', next.equalities);
      // A subquery has taken them in; a table is looked up by them.
      conditions = conditions.filter((one) => !next.equalities.some(({ condition }) => condition === one));
    }
    return conditions;
  }

  /** The first left join that reads only what is in place. */
  #placeLeft(left: Set<LeftJoin>, waiting: ReadonlySet<number>): void {
    const ready = [...left].find(({ relation, on }) => isReady({ relation, on }, relation.id, waiting));
    if (ready === undefined) throw new NotABlock('correlated');
    left.delete(ready);
    const { relation, on } = ready;
    const equalities = this.#usable(relation, on);
    const at = this.#place(relation, 'left', equalities);
    const rest = on.filter((one) => !equalities.some(({ condition }) => condition === one));
    this.#level.drafts[at]?.on.push(...rest.map((one) => this.#planning.expression(one, this.#level)));
  }

  /** The relation that hangs best on what is in place: by a key, by a parameter, by any equality. */
  #next(
    inner: ReadonlySet<Relation>,
    waiting: ReadonlySet<number>,
    conditions: readonly Scalar[],
  ): { readonly relation: Relation; readonly equalities: readonly Equality[] } | null {
    let best: { relation: Relation; equalities: readonly Equality[]; score: number } | null = null;
    for (const relation of inner) {
      if (!isReady(relation, relation.id, waiting)) continue;
      const equalities = this.#usable(relation, conditions);
      const score = this.#score(relation, equalities);
      if (best === null || score > best.score) best = { relation, equalities, score };
    }
    return best;
  }

  #score(relation: Relation, equalities: readonly Equality[]): number {
    // Costs nothing, and others may hang on it.
    if (relation.kind === 'values' || relation.kind === 'functions') return 5;
    if (equalities.length === 0) return 0;
    const key = relation.kind === 'table' ? this.#planning.keyOf(relation.oid) : [];
    if (key.length > 0 && key.every((column) => equalities.some((one) => one.column === column))) return 4;
    if (equalities.some(({ other }) => other.kind === 'param')) return 3;
    return equalities.some(({ other }) => [...relationsIn(other)].some((id) => this.#level.has(id))) ? 2 : 1;
  }

  /** The equalities that a relation can hang by: of one other input, or of parameters alone. */
  #usable(relation: Relation, conditions: readonly Scalar[]): readonly Equality[] {
    const all = conditions
      .flatMap((condition) => equalitiesOf(condition, this.#planning.facts))
      .filter((one) => one.relation === relation.id && this.#isReady(one.other))
      .filter((one) => relation.kind === 'table' || this.#canTakeIn(relation, one));
    const byInput = new Map<number | null, Equality[]>();
    for (const one of all) {
      const input = this.#inputOf(one.other);
      byInput.set(input, [...(byInput.get(input) ?? []), one]);
    }
    const key = relation.kind === 'table' ? this.#planning.keyOf(relation.oid) : [];
    const ranked = [...byInput.values()].toSorted((a, b) => rank(b, key) - rank(a, key));
    return ranked[0] ?? [];
  }

  /** Whether it can be had before the relation: a plain column of an input in place, or nothing but parameters. */
  #isReady(other: Scalar): boolean {
    const column = columnOf(other);
    if (column !== null) return this.#level.has(column.relation) || this.#isOutside(column.relation);
    return other.kind === 'param' || other.kind === 'constant';
  }

  /** Of a level around this one, and not of a sibling that is not in place yet. */
  #isOutside(relation: number): boolean {
    for (let outer = this.#level.outer; outer !== null; outer = outer.outer)
      if (outer.has(relation)) return true;
    return false;
  }

  #inputOf(other: Scalar): number | null {
    const column = columnOf(other);
    return column === null ? null : (this.#level.inputOf(column.relation) ?? null);
  }

  /** What is LATERAL hangs on an input already, and hangs on no other. */
  #canTakeIn(relation: Relation, one: Equality): boolean {
    if (relation.kind !== 'subquery') return false;
    const input = this.#inputOf(one.other);
    const lateral = [...relationsIn(relation)].flatMap((id) => this.#level.inputOf(id) ?? []);
    if (input !== null && lateral.some((at) => at !== input)) return false;
    return takeIn(relation.query, one) !== null;
  }

  #place(relation: Relation, join: 'inner' | 'left', equalities: readonly Equality[]): number {
    switch (relation.kind) {
      case 'table':
        return this.#level.add(
          {
            join,
            on: [],
            of: this.#planning.table(relation.oid),
            demand: this.#hangs(relation.oid, equalities),
          },
          relation.id,
        );
      case 'subquery':
        return addSubquery(this.#planning, withEqualities(relation.query, equalities), join, {
          level: this.#level,
          relation: relation.id,
        });
      case 'functions':
      case 'values':
        return addComputed(relation, join, this.#level, this.#planning);
      case 'cte':
        throw new NotABlock('cte');
      default:
        throw new NotABlock('from_unknown', relation.tag);
    }
  }

  #hangs(oid: number, equalities: readonly Equality[]): Demand {
    const table = this.#planning.table(oid);
    let parent: number | null = null;
    const pairs = equalities.map(({ column, other, type }) => {
      const from = this.#planning.expression(other, this.#level);
      const at = this.#inputOf(other);
      if (at !== null) parent = at;
      const parentColumn =
        from.op === 'param' ? from.param : from.op === 'column' ? from.column % (1 << 12) : Number.NaN;
      return { column: table.columnOf(column), parentColumn, type };
    });
    return { parent, pairs };
  }
}

/** Whether all that it reads is in place: LATERAL comes after. */
function isReady(what: object, own: number, waiting: ReadonlySet<number>): boolean {
  return [...relationsIn(what)].every((id) => id === own || !waiting.has(id));
}

function rank(equalities: readonly Equality[], key: readonly number[]): number {
  if (key.length > 0 && key.every((column) => equalities.some((one) => one.column === column))) return 3;
  return equalities.some(({ other }) => other.kind === 'param')
    ? 2
    : columnOf(equalities[0]?.other as Scalar)
      ? 1
      : 0;
}

/** A subquery of FROM takes in what is asked of its columns, so that no more is computed than is asked for. */
function takeIn(query: Query, { condition, relation }: Equality): Query | null {
  return narrowed(query, condition, (part) =>
    part.kind === 'column' && part.relation === relation ? part.column : null,
  );
}

function withEqualities(query: Query, equalities: readonly Equality[]): Query {
  let result = query;
  for (const one of equalities) result = must(takeIn(result, one), 'it takes conditions in');
  return result;
}
