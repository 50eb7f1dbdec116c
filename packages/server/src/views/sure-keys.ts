import type { Block, Input } from '@sluice/core/flow/plan';
import type { ValueType } from '@sluice/core/plan';

/** Types without a value that prints as `[null]`. */
const UNLIKE_NULL: ReadonlySet<ValueType['kind']> = new Set([
  'bool',
  'int',
  'numeric',
  'float',
  'uuid',
  'bytea',
  'date',
  'timestamp',
  'timestamptz',
  'time',
  'timetz',
  'interval',
  'inet',
  'mac',
  'bits',
]);

/**
 * Whether rows of a block's answer that agree in these output columns are one row of it, by the way it is made: then
 * nobody has to watch for two that do. The engine knows a row by the keys of the rows that it is joined of, or by the
 * keys of its group: where all of these are among the columns, it is known by the columns.
 */
export function areKeysSure(block: Block, keyColumns: readonly number[] | null): boolean {
  if (keyColumns === null || block.sets !== undefined || block.rows !== undefined) return false;
  const shown = new Set<number>();
  for (const column of keyColumns) {
    const expression = block.project[column];
    if (expression?.op === 'column') shown.add(expression.column);
  }
  const isSure =
    block.group === null
      ? block.inputs.every((input) => isKnownBy(input, shown))
      : block.group.sets === undefined && block.group.keys.every((_, key) => shown.has(key));
  return isSure && !mayLookLikeNull(block, keyColumns);
}

/** That the input has no row is seen by its key as well, which is NULL then and never else. */
function isKnownBy({ join, of, offset }: Input, shown: ReadonlySet<number>): boolean {
  if (join === 'exists' || join === 'scalar') return true;
  return of.kind === 'table' && of.key.every((column) => shown.has(offset + column));
}

/** A single column is told as its text, and NULL as `[null]` (`columnKey`). */
function mayLookLikeNull({ types }: Block, [column, ...others]: readonly number[]): boolean {
  if (column === undefined || others.length > 0) return false;
  const kind = types[column]?.kind;
  return kind === undefined || !UNLIKE_NULL.has(kind);
}
