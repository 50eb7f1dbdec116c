import type { Block, Input } from '@sluice/core/flow/plan';

/** A plan of blocks as lines of a tree: each input below the one that demands its rows. */
export function blockTree(block: Block, tableName: (oid: number) => string): readonly string[] {
  const levels = [
    ...(block.limit === null && block.offset === null ? [] : ['limit']),
    ...(block.order.length === 0 ? [] : ['order by']),
    ...(block.distinct ? ['distinct'] : []),
    ...(block.group === null ? [] : [groupLine(block.group)]),
    ...(block.where.length === 0 ? [] : [`filter (${block.where.length})`]),
  ];
  return indentEach(levels, inputsOf(block, null, tableName));
}

function groupLine({ keys, aggregates }: NonNullable<Block['group']>): string {
  const by = keys.length === 0 ? 'all rows' : `${keys.length} key${keys.length === 1 ? '' : 's'}`;
  return `group by ${by}: ${aggregates.map(({ fn }) => fn).join(', ') || 'no aggregate'}`;
}

function inputsOf(
  block: Block,
  parent: number | null,
  tableName: (oid: number) => string,
): readonly string[] {
  return block.inputs.flatMap((input, at) => {
    if (input.demand.parent !== parent) return [];
    const below = input.of.kind === 'block' ? blockTree(input.of.block, tableName) : [];
    const deeper = inputsOf(block, at, tableName);
    return [line(input, tableName), ...[...below, ...deeper].map((text) => `  ${text}`)];
  });
}

function line({ of, join, demand }: Input, tableName: (oid: number) => string): string {
  const what = of.kind === 'table' ? `table ${tableName(of.table)}` : 'subquery';
  const names = demand.pairs.map(({ column }) =>
    of.kind === 'table' ? (of.columns[column]?.name ?? '?') : `$${column + 1}`,
  );
  const by = names.length === 0 ? 'whole' : `by ${names.join(', ')}`;
  return `${join === 'inner' ? '' : `${join} `}${what}, ${by}`;
}

function indentEach(levels: readonly string[], innermost: readonly string[]): readonly string[] {
  const [first, ...rest] = levels;
  if (first === undefined) return innermost;
  return [first, ...indentEach(rest, innermost).map((text) => `  ${text}`)];
}
