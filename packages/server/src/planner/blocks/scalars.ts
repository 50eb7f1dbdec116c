import type { Scalar, ScalarOf } from '../../analysis/query-tree.js';

/** The conjuncts of a condition. */
export function conjuncts(condition: Scalar | null): readonly Scalar[] {
  if (condition === null) return [];
  return condition.kind === 'and' ? condition.args.flatMap(conjuncts) : [condition];
}

/** Everything directly below a node, in the order of its fields; queries are not entered. */
function partsOf(node: object): readonly object[] {
  return Object.values(node).flatMap((value: unknown): object[] =>
    Array.isArray(value) ? value.filter(isObject) : isObject(value) ? [value] : [],
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The numbers of all relations that an expression reads, subqueries in it included. */
export function relationsIn(node: object): Set<number> {
  const found = new Set<number>();
  const visit = (one: object): void => {
    if ('kind' in one && one.kind === 'column' && 'relation' in one) found.add(Number(one.relation));
    for (const part of partsOf(one)) visit(part);
  };
  visit(node);
  return found;
}

/** The same, with some of its expressions exchanged, those of queries within included. */
export function exchange<T extends object>(whole: T, by: (part: Scalar) => Scalar | undefined): T {
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (!isObject(value)) return value;
    const other = 'kind' in value && 'type' in value ? by(value as Scalar) : undefined;
    if (other !== undefined) return other;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visit(part)]));
  };
  return visit(whole) as T;
}

/** A plain column behind casts that change nothing. */
export function columnOf(scalar: Scalar): (Scalar & { readonly kind: 'column' }) | null {
  if (scalar.kind === 'relabel' || scalar.kind === 'collate') return columnOf(scalar.arg);
  return scalar.kind === 'column' && scalar.column > 0 ? scalar : null;
}

/** The queries that stand within an expression as subqueries, the outermost of each. */
export function subqueriesIn(whole: object): readonly SubqueryScalar[] {
  const found: SubqueryScalar[] = [];
  exchange(whole, (part) => {
    if (!isSubquery(part)) return undefined;
    found.push(part);
    return part;
  });
  return found;
}

export type SubqueryScalar = ScalarOf<'exists' | 'subquery' | 'array of' | 'any of' | 'all of' | 'row of'>;

export function isSubquery(scalar: Scalar): scalar is SubqueryScalar {
  return 'query' in scalar;
}
