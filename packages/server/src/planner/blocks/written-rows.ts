import type { Facts } from '../../analysis/facts.js';
import type { Query, Relation, Scalar, ScalarOf } from '../../analysis/query-tree.js';

type WholeRow = ScalarOf<'column'>;

/**
 * The query with each whole row (`json_agg(t)`, `to_json(t)`) written out: `ROW(t.a, t.b)`, which knows its fields.
 * Where an outer join may leave a table without a row, the whole row is NULL, and not a row of NULLs.
 * @param keyOf attribute numbers of a table's columns that are not null
 */
export function withRowsWritten(
  query: Query,
  facts: Facts,
  keyOf: (oid: number) => readonly number[],
): Query {
  const found = new Found();
  found.visit(query, false);
  if (!found.hasWholeRow) return query;
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (!isObject(value)) return value;
    if (isWholeRow(value)) return written(value, found, facts, keyOf) ?? value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, visit(part)]));
  };
  return visit(query) as Query;
}

/** The relations of a query, and which of them may have no row. */
class Found {
  readonly relations = new Map<number, Relation>();
  readonly nullable = new Set<number>();
  hasWholeRow = false;

  visit(value: unknown, nullable: boolean): void {
    if (Array.isArray(value)) for (const item of value) this.visit(item, nullable);
    if (!isObject(value) || Array.isArray(value)) return;
    if (isWholeRow(value)) this.hasWholeRow = true;
    if ('kind' in value && value.kind === 'relation' && 'relation' in value) {
      const relation = value.relation as Relation;
      this.relations.set(relation.id, relation);
      if (nullable) this.nullable.add(relation.id);
      // Within it is another FROM.
      this.visit(Object.values(relation), false);
    } else if ('kind' in value && value.kind === 'join' && 'join' in value && 'left' in value) {
      const { join, left, right, on } = value as unknown as Record<'join' | 'left' | 'right' | 'on', unknown>;
      this.visit(left, nullable || join === 'right' || join === 'full');
      this.visit(right, nullable || join === 'left' || join === 'full');
      this.visit(on, false);
    } else for (const part of Object.values(value)) this.visit(part, false);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isWholeRow(value: object): value is WholeRow {
  return 'kind' in value && value.kind === 'column' && 'column' in value && value.column === 0;
}

function written(
  whole: WholeRow,
  { relations, nullable }: Found,
  facts: Facts,
  keyOf: (oid: number) => readonly number[],
): Scalar | null {
  const relation = relations.get(whole.relation);
  if (relation === undefined) return null;
  const row = rowOf(whole, relation, facts);
  if (row === null || !nullable.has(relation.id)) return row;
  const [key] = relation.kind === 'table' ? keyOf(relation.oid) : [];
  const present = row.fields.find((field) => field.kind === 'column' && field.column === key);
  if (present === undefined) return null;
  const bool = { oid: BOOL, modifier: -1, collation: 0 };
  const when: Scalar = { kind: 'is not null', arg: present, ofRow: false, type: bool };
  const otherwise: Scalar = { kind: 'constant', value: null, type: whole.type };
  return { kind: 'case', arms: [{ when, result: row }], otherwise, type: whole.type };
}

const BOOL = 16;
const RECORD = 2249;

/** Of a table, and of a view, its type says what its columns are; of a subquery the subquery. */
function rowOf(whole: WholeRow, relation: Relation, facts: Facts): ScalarOf<'row'> | null {
  const column = (at: number, type: Scalar['type']): Scalar => ({ ...whole, column: at, type });
  const of = facts.types.get(whole.type.oid);
  if (relation.kind === 'subquery') {
    const { columns } = relation.query;
    const named = whole.type.oid === RECORD ? relation.columns : Object.values(of?.fields ?? {});
    if (named.length !== columns.length) return null;
    const fields = columns.map(({ type }, at) => column(at + 1, type));
    return { kind: 'row', fields, names: named, type: whole.type };
  }
  if (relation.kind !== 'table') return null;
  const names = of?.fields ?? {};
  const types = Object.entries(of?.fieldTypes ?? {}).map(([at, type]) => [Number(at), type] as const);
  const sorted = types.toSorted(([a], [b]) => a - b);
  if (sorted.length === 0) return null;
  return {
    kind: 'row',
    fields: sorted.map(([at, type]) => column(at, type)),
    names: sorted.map(([at]) => names[String(at)] ?? ''),
    type: whole.type,
  };
}
