import type { Expression } from '@sluice/core/expression';
import { whyNotReproduced } from '@sluice/core/expression/missing';
import type { Facts } from '../../analysis/facts.js';
import { Lifted } from '../../analysis/lifted.js';
import { NotExpressible } from '../../analysis/expression-reasons.js';
import type { Query, Relation, Scalar, Select, SetArm, Source } from '../../analysis/query-tree.js';
import { toExpression } from '../../analysis/to-expression.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import type { Registry } from '../../registry/registry.js';
import type { Concern, KeyConcern, PlaceConcern, TableConcern } from '../planned.js';
import { equalitiesOf, isKeyed } from './equalities.js';
import { narrowed } from './narrowed.js';
import { relationsOf, simplified } from './outer-joins.js';
import { columnOf, conjuncts, relationsIn, subqueriesIn } from './scalars.js';
import { refusedBy } from './strictness.js';

/*
 * Predicates lifted from a query (C9): which rows of a table can matter to its answer.
 *
 *   the query        ≡   the query, each place where it reads a table narrowed to the rows that meet its conditions
 *
 * Then rows that meet the conditions of no place may come and go. What a row must meet to matter, at each place:
 *
 *   WHERE, and the ON of inner joins      rows of inner joined relations, and of the kept side of outer joins
 *   the ON of an outer join               rows of the side that may be filled up, and no others
 *   of a query around it                  rows of a subquery only matter beside rows that matter there
 *   a = b AND b = $1                      says a = $1 as well
 *
 * Outer joins whose filled-up rows a condition refuses are inner ones by then (`simplified`). Conditions go into
 * subqueries of FROM where that changes nothing else (`narrowed`). What is not one table's and the parameters' alone, or
 * not reproduced by the engine, is left out: a condition less only means that more rows matter.
 */

/** @returns null when nothing can be said: any row of what the query reads may matter */
export function concernOf(query: Query, facts: Facts, registry: Registry): Concern | null {
  // A volatile function may answer otherwise for fewer rows.
  if ([...facts.functions.values()].some(({ volatility }) => volatility === 'v')) return null;
  const places = placesIn(query);
  if (places === null) return null;
  const finder = new ConcernFinder(facts, registry);
  finder.query(query, []);
  const tables = finder.tables(places);
  return tables.length === 0 ? null : { params: finder.params, tables };
}

/** The relations of each table, wherever the query reads it; null when it holds something that is not looked into. */
function placesIn(query: Query): ReadonlyMap<number, ReadonlySet<number>> | null {
  const places = new Map<number, Set<number>>();
  let isWhole = true;
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('kind' in node && node.kind === 'unknown') isWhole = false;
    if ('kind' in node && node.kind === 'table' && 'oid' in node && 'id' in node) {
      const oid = Number(node.oid);
      places.set(oid, (places.get(oid) ?? new Set()).add(Number(node.id)));
    }
    for (const part of Object.values(node)) visit(part);
  };
  visit(query);
  return isWhole ? places : null;
}

interface TableDraft {
  readonly columns: { readonly name: string; readonly typeOid: number }[];
  readonly numbers: Map<number, number>;
  readonly places: PlaceConcern[];
  readonly relations: Set<number>;
}

class ConcernFinder {
  readonly #facts: Facts;
  readonly #registry: Registry;
  readonly #lifted: Lifted;
  readonly #tables = new Map<number, TableDraft>();

  constructor(facts: Facts, registry: Registry) {
    this.#facts = facts;
    this.#registry = registry;
    this.#lifted = new Lifted(facts);
  }

  get params(): Concern['params'] {
    return this.#lifted.params;
  }

  /** @param relations of each table, all of which must have been looked at */
  tables(relations: ReadonlyMap<number, ReadonlySet<number>>): readonly TableConcern[] {
    return [...this.#tables].flatMap(([table, draft]) => {
      const all = [...(relations.get(table) ?? [])].every((one) => draft.relations.has(one));
      const open = draft.places.some(({ keys, conditions }) => keys.length + conditions.length === 0);
      return all && !open ? [{ table, columns: draft.columns, places: draft.places }] : [];
    });
  }

  /** @param around what the rows around it meet, beside which its answer matters */
  query(query: Query, around: readonly Scalar[]): void {
    for (const cte of query.with) this.query(cte.query, []);
    this.#within([query.offset, query.limit], []);
    const { body } = query;
    if (body.kind === 'select') return this.#select(body, around);
    this.#arm(body.left, around);
    this.#arm(body.right, around);
  }

  #arm(arm: SetArm, around: readonly Scalar[]): void {
    if (arm.kind === 'query') return this.query(arm.query, around);
    this.#arm(arm.operation.left, around);
    this.#arm(arm.operation.right, around);
  }

  #select(select: Select, around: readonly Scalar[]): void {
    const refused = refusedBy(select.where, this.#facts);
    const from = select.from.map((source) => simplified(source, refused, this.#facts));
    const holds = [...around, ...conjuncts(select.where), ...from.flatMap(innerConditions)];
    for (const source of from) this.#source(source, holds, around);
    this.#within(select.where, holds);
    // An aggregate has a row even of nothing, beside which what its query asks for matters.
    const above = select.grouping === null ? holds : around;
    const { targets, having, windows } = select;
    this.#within([targets, having, windows], above);
  }

  /** @param holds what rows of it must meet to matter, beside others @param around the same of the queries around */
  #source(source: Source, holds: readonly Scalar[], around: readonly Scalar[]): void {
    if (source.kind === 'relation') return this.#relation(source.relation, holds);
    const { join, left, right, on } = source;
    this.#within(on, join === 'inner' ? holds : around);
    const filled = (side: Source): readonly Scalar[] => {
      const own = relationsOf(side);
      const beside = holds.filter((one) => ![...relationsIn(one)].some((relation) => own.has(relation)));
      return [...beside, ...conjuncts(on), ...innerConditions(side)];
    };
    switch (join) {
      case 'inner':
        this.#source(left, holds, around);
        return this.#source(right, holds, around);
      case 'left':
        this.#source(left, holds, around);
        return this.#source(right, filled(right), around);
      case 'right':
        this.#source(left, filled(left), around);
        return this.#source(right, holds, around);
      default:
        this.#source(left, [...around, ...innerConditions(left)], around);
        return this.#source(right, [...around, ...innerConditions(right)], around);
    }
  }

  #relation(relation: Relation, holds: readonly Scalar[]): void {
    switch (relation.kind) {
      case 'table':
        return this.#place(relation.oid, relation.id, this.#conditionsOn(relation.id, holds));
      case 'subquery': {
        const barrier = relation.view !== null && this.#facts.relations.get(relation.view)?.barrier !== false;
        const inside = barrier ? relation.query : this.#narrowed(relation.id, relation.query, holds);
        return this.query(inside, holds);
      }
      case 'functions':
        return this.#within(relation.functions, holds);
      case 'values':
        return this.#within(relation.rows, holds);
      default:
        return undefined;
    }
  }

  /** The subqueries of expressions. */
  #within(expressions: object | null, around: readonly Scalar[]): void {
    if (expressions === null) return;
    for (const scalar of subqueriesIn(expressions)) {
      this.query(scalar.query, around);
      if ('test' in scalar) this.#within(scalar.test, around);
    }
  }

  #narrowed(id: number, query: Query, holds: readonly Scalar[]): Query {
    let result = query;
    for (const condition of this.#conditionsOn(id, holds)) {
      if (relationsIn(condition).size === 0) continue;
      if (!isPlain(query) && !this.#isOfKeys(condition)) continue;
      const column = (part: Scalar): number | null =>
        part.kind === 'column' && part.relation === id ? part.column : null;
      result = narrowed(result, condition, column) ?? result;
    }
    return result;
  }

  /** A condition that says the same of all values that are equal. */
  #isOfKeys(condition: Scalar): boolean {
    if (equalitiesOf(condition, this.#facts).some(({ other }) => relationsIn(other).size === 0)) return true;
    return condition.kind === 'any' && this.#keyOf(condition) !== null;
  }

  /** What holds of rows of the relation whatever is beside them. */
  #conditionsOn(id: number, holds: readonly Scalar[]): readonly Scalar[] {
    const plain = holds.filter((one) => subqueriesIn([one]).length === 0);
    const isOwn = (one: Scalar): boolean => [...relationsIn(one)].every((relation) => relation === id);
    return [...plain.filter(isOwn), ...derived(plain, this.#facts).filter((one) => relationsIn(one).has(id))];
  }

  #place(table: number, relation: number, conditions: readonly Scalar[]): void {
    let draft = this.#tables.get(table);
    if (draft === undefined)
      this.#tables.set(
        table,
        (draft = { columns: [], numbers: new Map(), places: [], relations: new Set() }),
      );
    draft.relations.add(relation);
    const keys: KeyConcern[] = [];
    const others: Expression[] = [];
    for (const condition of conditions) {
      try {
        const key = this.#keyConcern(condition, table, draft);
        if (key !== null) keys.push(key);
        else others.push(this.#expression(condition, table, draft));
      } catch (error) {
        if (!(error instanceof NotExpressible)) throw error;
      }
    }
    draft.places.push({ keys, conditions: others });
  }

  #keyConcern(condition: Scalar, table: number, draft: TableDraft): KeyConcern | null {
    const key = this.#keyOf(condition);
    if (key === null) return null;
    const value = this.#expression(key.value, table, draft);
    return { column: this.#column(table, key.column, draft), type: key.type, value, any: key.any };
  }

  /** `column = value`, `column = ANY (value)`, by a key that equal values share. */
  #keyOf(condition: Scalar): Key | null {
    if (condition.kind !== 'any') {
      const equality = equalitiesOf(condition, this.#facts).find(
        ({ other }) => relationsIn(other).size === 0,
      );
      return equality === undefined
        ? null
        : { column: equality.column, type: equality.type, value: equality.other, any: false };
    }
    const { fn, left, array, collation } = condition;
    const column = columnOf(left);
    if (column === null || relationsIn(array).size > 0 || !isKeyed(fn, this.#facts)) return null;
    if (this.#facts.collations.get(collation)?.deterministic === false) return null;
    if (collation === 0 && (left.type.collation !== 0 || array.type.collation !== 0)) return null;
    const type = valueTypeOf(left.type.oid, collation, this.#facts);
    return { column: column.column, type, value: array, any: true };
  }

  /** @throws NotExpressible */
  #expression(scalar: Scalar, table: number, draft: TableDraft): Expression {
    const expression = toExpression(scalar, {
      facts: this.#facts,
      lifted: this.#lifted,
      atHand: (part) =>
        part.kind === 'column' && part.column > 0
          ? { op: 'column', column: this.#column(table, part.column, draft) }
          : undefined,
    });
    if (whyNotReproduced(expression) !== null || ordersLabels(expression))
      throw new NotExpressible('unknown');
    return expression;
  }

  /** @throws NotExpressible of what the stream does not carry */
  #column(table: number, attnum: number, draft: TableDraft): number {
    const column = this.#registry.tables.get(table)?.columns.find(({ number }) => number === attnum);
    if (column === undefined || column.generated !== 'no') throw new NotExpressible('column');
    let number = draft.numbers.get(attnum);
    if (number === undefined) {
      number = draft.columns.push({ name: column.name, typeOid: column.typeOid }) - 1;
      draft.numbers.set(attnum, number);
    }
    return number;
  }
}

interface Key {
  readonly column: number;
  readonly type: KeyConcern['type'];
  readonly value: Scalar;
  readonly any: boolean;
}

/** Whether it goes by the order of an enum's labels: the stream may bring one that was added since. */
function ordersLabels(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ('kind' in node && node.kind === 'enum') return true;
  const equates = 'fn' in node && /^enum_(eq|ne)$/.test(String(node.fn));
  return Object.entries(node).some(
    ([name, part]) => !(equates && /^types?$/.test(name)) && ordersLabels(part),
  );
}

/** What every row of it meets. */
function innerConditions(source: Source): readonly Scalar[] {
  if (source.kind === 'relation') return [];
  const { join, left, right, on } = source;
  switch (join) {
    case 'inner':
      return [...conjuncts(on), ...innerConditions(left), ...innerConditions(right)];
    case 'left':
      return innerConditions(left);
    case 'right':
      return innerConditions(right);
    default:
      return [];
  }
}

/** Rows in, rows out, one by one. */
function isPlain({ body }: Query): boolean {
  return (
    body.kind === 'select' && body.grouping === null && body.distinct === null && body.windows.length === 0
  );
}

/** Of `a = b AND b = $1`, `a = $1`. Values stand in for each other only whole, within equalities of their own types. */
function derived(conditions: readonly Scalar[], facts: Facts): readonly Scalar[] {
  const values = new Map<string, Scalar[]>();
  const found = new Map<string, Scalar>();
  const equalities = conditions.flatMap((one) => equalitiesOf(one, facts));
  for (let more = true; more;) {
    more = false;
    for (const { condition, relation, column, other } of equalities) {
      const source = columnOf(other);
      const known = source === null ? [] : (values.get(`${source.relation}.${source.column}`) ?? []);
      const value =
        relationsIn(other).size === 0 ? other : known.find(({ type }) => type.oid === other.type.oid);
      if (value === undefined || condition.kind !== 'call') continue;
      const name = `${relation}.${column}`;
      const own = values.get(name) ?? [];
      if (own.some(({ type }) => type.oid === value.type.oid)) continue;
      values.set(name, [...own, value]);
      more = true;
      if (value === other) continue;
      const args = condition.args.map((arg) => (arg === other ? value : arg));
      found.set(`${name}=${value.type.oid}`, { ...condition, args });
    }
  }
  return [...found.values()];
}
