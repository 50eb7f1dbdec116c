import type { Query, Source } from '@sluice/server/analysis/query-tree';

/** Columns whose relation does not stand in the query that `up` says, as `relation.column`. */
export function misplacedColumns(query: Query): readonly string[] {
  const wrong: string[] = [];
  visit(query, [], wrong);
  return wrong;
}

function visit(value: unknown, around: readonly ReadonlySet<number>[], wrong: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  let stack = around;
  if (isQuery(value)) {
    const own = new Set<number>();
    if (value.body.kind === 'select') for (const source of value.body.from) collect(source, own);
    stack = [...around, own];
  }
  if ('kind' in value && value.kind === 'column' && 'relation' in value && 'up' in value) {
    const { relation, up } = value as { readonly relation: number; readonly up: number };
    if (stack.at(-1 - up)?.has(relation) !== true) wrong.push(`${relation} up ${up}`);
  }
  for (const inner of Object.values(value)) visit(inner, stack, wrong);
}

function isQuery(value: object): value is Query {
  return 'body' in value && 'with' in value;
}

function collect(source: Source, into: Set<number>): void {
  if (source.kind === 'relation') {
    into.add(source.relation.id);
    return;
  }
  collect(source.left, into);
  collect(source.right, into);
}
