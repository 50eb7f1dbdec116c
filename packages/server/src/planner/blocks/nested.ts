import type { Query, Relation, Scalar, Select, Source, Target, TypeUse } from '../../analysis/query-tree.js';
import { relationsOf } from './outer-joins.js';
import { NotABlock } from './reasons.js';
import { exchange } from './scalars.js';

type Column = Scalar & { readonly kind: 'column' };

/** What a part of FROM becomes: a subquery of the columns that the rest reads. */
export interface Nesting {
  /** The number of the subquery. */
  readonly id: number;
  /** Which part of FROM. */
  readonly source: Source;
  /** The query, of the columns that are read. */
  readonly query: (columns: readonly Column[]) => Query;
}

/**
 * The SELECT with a part of FROM as a subquery of its own: the same rows, in a form that the joins of a block have.
 * @throws NotABlock
 */
export function nested(select: Select, { id, source, query }: Nesting): Select {
  const standIn: Relation = { kind: 'unknown', tag: '', id, name: '', columns: [] };
  const rest = { ...select, from: select.from.map((one) => replaced(one, source, standIn)) };
  const relations = relationsOf(source);
  const columns: Column[] = [];
  const read = exchange(rest, (part) => {
    if (part.kind !== 'column' || !relations.has(part.relation)) return undefined;
    if (part.column <= 0) throw new NotABlock('whole_row');
    let at = columns.findIndex(
      ({ relation, column }) => relation === part.relation && column === part.column,
    );
    if (at < 0) at = columns.push(part) - 1;
    return { ...part, relation: id, column: at + 1 };
  });
  const relation: Relation = {
    kind: 'subquery',
    id,
    name: '',
    columns: columns.map(() => ''),
    query: query(columns),
    lateral: true,
    view: null,
  };
  return { ...read, from: read.from.map((one) => withRelation(one, relation)) };
}

/** A plain query of some columns. */
export function queryOf(from: readonly Source[], where: Scalar | null, columns: readonly Scalar[]): Query {
  const body: Select = {
    kind: 'select',
    from,
    where,
    targets: columns.map((expression): Target => ({ expression, name: '', junk: false, ref: 0 })),
    grouping: null,
    having: null,
    windows: [],
    distinct: null,
  };
  return { ...bare(columns.map(({ type }) => type)), body };
}

/** A query without a body, an order or a limit. */
export function bare(types: readonly TypeUse[]): Omit<Query, 'body'> {
  return {
    with: [],
    order: [],
    offset: null,
    limit: null,
    withTies: false,
    columns: types.map((type) => ({ name: '', type })),
  };
}

export function allOf(conditions: readonly Scalar[]): Scalar | null {
  const [first] = conditions;
  if (first === undefined || conditions.length === 1) return first ?? null;
  return { kind: 'and', args: conditions, type: BOOL };
}

export const BOOL: TypeUse = { oid: 16, modifier: -1, collation: 0 };

function replaced(source: Source, part: Source, relation: Relation): Source {
  if (source === part) return { kind: 'relation', relation };
  if (source.kind === 'relation') return source;
  const [left, right] = [replaced(source.left, part, relation), replaced(source.right, part, relation)];
  return left === source.left && right === source.right ? source : { ...source, left, right };
}

function withRelation(source: Source, relation: Relation): Source {
  if (source.kind === 'relation')
    return source.relation.id === relation.id ? { kind: 'relation', relation } : source;
  return {
    ...source,
    left: withRelation(source.left, relation),
    right: withRelation(source.right, relation),
  };
}
