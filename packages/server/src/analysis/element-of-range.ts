import type { Expression } from '@sluice/core/expression';
import type { FunctionFact } from './facts.js';
import type { Scalar } from './query-tree.js';

/** Which argument of a function is the range that it looks for an element in. */
const RANGE_OF: Readonly<Record<string, number>> = { range_contains_elem: 0, elem_contained_by_range: 1 };

/**
 * From 17 on Postgres works out `range @> element` for a range that is the same for all rows: nothing is in an empty one
 * and everything is in one without bounds, NULL among it, though the function itself is strict. Where the element is the
 * same for all rows as well, the function has been called before that.
 */
export function elementOfRange(
  call: Extract<Expression, { op: 'call' }>,
  args: readonly Scalar[],
  fact: FunctionFact | undefined,
): Expression {
  const at = fact?.simplified === true ? RANGE_OF[fact.source] : undefined;
  const range = at === undefined ? undefined : call.args[at];
  if (at === undefined || range === undefined || !isConstant(args[at]) || isConstant(args[1 - at]))
    return call;
  const types = call.types === undefined ? {} : { types: call.types.slice(at, at + 1) };
  const is = (fn: string): Expression => ({ op: 'call', fn, args: [range], ...types });
  const hasNoBounds: Expression = { op: 'and', args: [is('range_lower_inf'), is('range_upper_inf')] };
  return {
    op: 'and',
    args: [
      { op: 'not', arg: is('range_empty') },
      { op: 'or', args: [call, hasNoBounds] },
    ],
  };
}

/** Parts of which each row has its own, or that are not known. */
const OF_ROWS: ReadonlySet<unknown> = new Set<Scalar['kind']>([
  'column',
  'value',
  'aggregate',
  'grouping',
  'window',
  'exists',
  'subquery',
  'array of',
  'any of',
  'all of',
  'row of',
  'subquery column',
  'undecoded',
  'unknown',
]);

/** What Postgres has worked out before it looks at any row: constants, parameters, and what is made of these alone. */
function isConstant(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return part !== undefined;
  return (
    !('kind' in part && OF_ROWS.has(part.kind)) &&
    Object.values(part).every((one) => one === undefined || isConstant(one))
  );
}
