import type { Source } from '../../analysis/query-tree.js';

/**
 * Whether a table stands more than once in FROM, in subqueries of it too. Postgres 18 removes a join of a table to
 * itself by a key. Columns of the one that was removed become those of the other, and where GROUPING SETS tell the two
 * apart one is then taken for the other: in ORDER BY, in HAVING, in expressions.
 * What stands in an arm of a UNION is not joined to what is outside of it, and is not looked at.
 */
export function readsTwice(from: readonly Source[]): boolean {
  const tables = from.flatMap(tablesOf);
  return new Set(tables).size < tables.length;
}

function tablesOf(source: Source): readonly number[] {
  if (source.kind === 'join') return [source.left, source.right].flatMap(tablesOf);
  const { relation } = source;
  if (relation.kind === 'table') return [relation.oid];
  if (relation.kind !== 'subquery' || relation.query.body.kind !== 'select') return [];
  return relation.query.body.from.flatMap(tablesOf);
}
