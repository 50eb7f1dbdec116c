import type { Facts } from '../../analysis/facts.js';
import type { Query, Relation, Scalar, Select, Source } from '../../analysis/query-tree.js';
import { joinsOf, type Joins } from './joins.js';
import { allOf, nested, queryOf } from './nested.js';
import { conjuncts, relationsIn, subqueriesIn } from './scalars.js';
import { refusedBy, unknown } from './strictness.js';

/*
 * A subquery hangs on one input of the block around it. Where it depends on several, or on one that an outer join may
 * fill up with NULLs and has rows even then, these are joined in a subquery of their own: of that one it may hang.
 *
 *    FROM a LEFT JOIN b …, LATERAL (… a.x … b.y …) l    becomes    FROM (SELECT a.x, b.y FROM a LEFT JOIN b …) n, LATERAL (… n.1 … n.2 …) l
 */

/** @param fresh a number for a relation that no other has @throws NotABlock */
export function decorrelated(select: Select, facts: Facts, fresh: () => number): Select {
  const joins = joinsOf(select);
  const own = new Set([...joins.inner, ...joins.left.map(({ relation }) => relation)].map(({ id }) => id));
  for (const { read, isEmptyForNulls } of dependents(select, joins, facts)) {
    const inputs = [...read].filter((one) => own.has(one));
    const [only] = inputs;
    if (only === undefined) continue;
    const isFilled = joins.left.some(({ relation }) => relation.id === only);
    if (inputs.length === 1 && (!isFilled || isEmptyForNulls(only))) continue;
    return decorrelated(together(select, joins, new Set(inputs), fresh), facts, fresh);
  }
  return select;
}

interface Dependent {
  readonly read: ReadonlySet<number>;
  /** Whether it has no rows when all that it reads of a relation is NULL. */
  readonly isEmptyForNulls: (relation: number) => boolean;
}

function dependents(select: Select, { inner, left }: Joins, facts: Facts): readonly Dependent[] {
  const relations = [...inner, ...left.map(({ relation }) => relation)];
  const lateral = relations.map((relation): Dependent => {
    const read = relationsIn(relation);
    read.delete(relation.id);
    return {
      read,
      isEmptyForNulls: (one) => isAbsentForNulls(relation, one, facts),
    };
  });
  const { from: _, ...rest } = select;
  const conditions = [...left.flatMap(({ on }) => on), ...select.from.flatMap(conditionsOf)];
  const within = subqueriesIn({ rest, conditions }).map(({ query }): Dependent => ({
    read: relationsIn(query),
    isEmptyForNulls: (one) => isEmptyForNulls(query, one, facts),
  }));
  return [...lateral, ...within];
}

function conditionsOf(source: Source): readonly Scalar[] {
  if (source.kind === 'relation') return [];
  return [...conditionsOf(source.left), ...conditionsOf(source.right), ...conjuncts(source.on)];
}

function isAbsentForNulls(relation: Relation, one: number, facts: Facts): boolean {
  if (relation.kind === 'subquery') return isEmptyForNulls(relation.query, one, facts);
  if (relation.kind !== 'functions') return false;
  return relation.functions.every(
    ({ call }) => call.kind === 'call' && call.returnsSet && unknown(call, facts).has(one),
  );
}

function isEmptyForNulls({ body }: Query, relation: number, facts: Facts): boolean {
  if (body.kind !== 'select') return false;
  const { grouping } = body;
  if (grouping !== null && (grouping.several || grouping.keys.length === 0)) return false;
  return refusedBy(body.where, facts).has(relation);
}

/** These relations, and what they are joined by, in a subquery. */
function together(select: Select, joins: Joins, wanted: ReadonlySet<number>, fresh: () => number): Select {
  const parts = new Set(wanted);
  const relations = [...joins.inner, ...joins.left.map(({ relation }) => relation)];
  const own = new Set(relations.map(({ id }) => id));
  for (let size = 0; size !== parts.size;) {
    size = parts.size;
    const needed = [
      ...relations.filter(({ id }) => parts.has(id)),
      ...joins.left.filter(({ relation }) => parts.has(relation.id)).flatMap(({ on }) => on),
    ];
    for (const one of needed) for (const id of relationsIn(one)) if (own.has(id)) parts.add(id);
  }
  const isInside = (condition: Scalar): boolean => {
    const read = [...relationsIn(condition)].filter((id) => own.has(id));
    return read.length > 0 && read.every((id) => parts.has(id)) && subqueriesIn(condition).length === 0;
  };
  const conditions = [...joins.conditions, ...conjuncts(select.where)];
  // A left join needs something on its left, whatever that is.
  const [first] = joins.inner;
  if (first !== undefined && !joins.inner.some(({ id }) => parts.has(id))) parts.add(first.id);
  const place = sourceOf(joins, [], (id) => parts.has(id));
  const flat: Select = {
    ...select,
    from: [sourceOf(joins, [place], (id) => !parts.has(id))],
    where: allOf(conditions.filter((one) => !isInside(one))),
  };
  return nested(flat, {
    id: fresh(),
    source: place,
    query: (columns) => queryOf([place], allOf(conditions.filter(isInside)), columns),
  });
}

/** Some of the relations, joined as they were. */
function sourceOf({ inner, left }: Joins, before: readonly Source[], has: (id: number) => boolean): Source {
  const sources = inner
    .filter(({ id }) => has(id))
    .map((relation): Source => ({ kind: 'relation', relation }));
  const crossed = [...before, ...sources].reduce((one, other): Source => ({
    kind: 'join',
    join: 'inner',
    left: one,
    right: other,
    on: null,
  }));
  return left
    .filter(({ relation: { id } }) => has(id))
    .reduce(
      (one: Source, { relation, on }): Source => ({
        kind: 'join',
        join: 'left',
        left: one,
        right: { kind: 'relation', relation },
        on: allOf(on),
      }),
      crossed,
    );
}
