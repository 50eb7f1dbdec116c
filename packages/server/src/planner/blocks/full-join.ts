import type { Facts } from '../../analysis/facts.js';
import type { Query, Scalar, Source } from '../../analysis/query-tree.js';
import { equalitiesOf } from './equalities.js';
import { bare, BOOL, queryOf } from './nested.js';
import { relationsOf } from './outer-joins.js';
import { NotABlock } from './reasons.js';
import { conjuncts, relationsIn } from './scalars.js';

/**
 * A FULL JOIN is its LEFT JOIN, and the rows of the right side that have none on the left.
 * @throws NotABlock where Postgres, which joins so by equalities alone, would raise an error
 */
export function fullJoin(
  join: Source & { readonly kind: 'join' },
  columns: readonly Scalar[],
  { facts, fresh }: { readonly facts: Facts; readonly fresh: () => number },
): Query {
  const { left, right, on } = join;
  if (!conjuncts(on).some((one) => isBetween(one, join, facts)) && on !== null)
    throw new NotABlock('full_join');
  const kept = relationsOf(right);
  const others = renumbered({ left, right, on }, fresh);
  const alone = queryOf([others.left], others.on, []);
  const missing: Scalar = {
    kind: 'not',
    arg: { kind: 'exists', query: alone, type: BOOL },
    type: BOOL,
  };
  const map = others.numbers;
  const ofRight = columns.map((one): Scalar => {
    if (one.kind !== 'column' || !kept.has(one.relation))
      return { kind: 'constant', value: null, type: one.type };
    return { ...one, relation: map.get(one.relation) ?? one.relation };
  });
  const types = columns.map(({ type }) => type);
  const casts = columns.map(() => null);
  return {
    ...bare(types),
    body: {
      kind: 'union',
      all: true,
      left: { kind: 'query', query: queryOf([{ ...join, join: 'left' }], null, columns), casts },
      right: { kind: 'query', query: queryOf([others.right], missing, ofRight), casts },
      types,
      equal: [],
    },
  };
}

function isBetween(
  condition: Scalar,
  { left, right }: Source & { readonly kind: 'join' },
  facts: Facts,
): boolean {
  const sides = [relationsOf(left), relationsOf(right)];
  return equalitiesOf(condition, facts).some(({ relation, other }) => {
    const from = [...relationsIn(other)];
    const [own, opposite] = sides[0]?.has(relation) === true ? sides : sides.toReversed();
    return own?.has(relation) === true && from.length > 0 && from.every((one) => opposite?.has(one) === true);
  });
}

/** A copy in which every relation has a number of its own. */
function renumbered<T extends object>(
  whole: T,
  fresh: () => number,
): T & { readonly numbers: ReadonlyMap<number, number> } {
  const numbers = new Map<number, number>();
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('id' in value && 'columns' in value && 'name' in value) numbers.set(Number(value.id), fresh());
    for (const part of Object.values(value)) collect(part);
  };
  collect(whole);
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visit(part)]));
    if ('id' in copy) copy['id'] = numbers.get(Number(copy['id'])) ?? copy['id'];
    if (copy['kind'] === 'column')
      copy['relation'] = numbers.get(Number(copy['relation'])) ?? copy['relation'];
    return copy;
  };
  return { ...(visit(whole) as T), numbers };
}
