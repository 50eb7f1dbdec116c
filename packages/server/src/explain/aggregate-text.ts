import type { Aggregate, FrameBoundPlan, WindowFunction, WindowPlan } from '@sluice/core/flow/plan';
import type { ExpressionText } from './expression-text.js';

/** Where the engine's name for what is done with the values is not the one that a user knows. */
const NAMES: Readonly<Record<string, string>> = {
  count_all: 'count',
  sum_int8: 'sum',
  sum_numeric: 'sum',
  bytea_string_agg: 'string_agg',
  json_agg_lines: 'json_agg',
  fold: 'sum',
};

export function aggregateText(
  { fn, args, distinct, order, filter }: Aggregate,
  expressions: ExpressionText,
): string {
  const list = fn === 'count_all' ? '*' : args.map((arg) => expressions.of(arg)).join(', ');
  const sorted = order.map(({ expression, term }) => sortText(expressions.of(expression), term));
  const by = sorted.length === 0 ? '' : ` ORDER BY ${sorted.join(', ')}`;
  const only = filter === null ? '' : ` FILTER (WHERE ${expressions.of(filter)})`;
  return `${NAMES[fn] ?? fn}(${distinct ? 'DISTINCT ' : ''}${list}${by})${only}`;
}

export function sortText(
  text: string,
  { descending, nullsFirst }: { readonly descending: boolean; readonly nullsFirst: boolean },
): string {
  const nulls = nullsFirst === descending ? '' : nullsFirst ? ' NULLS FIRST' : ' NULLS LAST';
  return `${text}${descending ? ' DESC' : ''}${nulls}`;
}

export function windowFunctionText(one: WindowFunction, expressions: ExpressionText): string {
  if (one.kind === 'aggregate') return aggregateText(one.aggregate, expressions);
  return `${one.fn}(${one.args.map((arg) => expressions.of(arg)).join(', ')})`;
}

/** What stands between the parentheses of OVER. */
export function overText({ partition, order, frame }: WindowPlan, expressions: ExpressionText): string {
  const by = partition.map(({ expression }) => expressions.of(expression));
  const sorted = order.map((term) => sortText(expressions.of(term.expression), term));
  const bound = (at: FrameBoundPlan): string =>
    ('offset' in at ? `${expressions.of(at.offset)} ${at.kind}` : at.kind).toUpperCase();
  const { mode, start, end, exclude } = frame;
  const isDefault = mode === 'range' && start.kind === 'unbounded preceding' && end.kind === 'current row';
  const excluded = exclude === 'nothing' ? '' : ` EXCLUDE ${exclude.toUpperCase()}`;
  return [
    ...(by.length === 0 ? [] : [`PARTITION BY ${by.join(', ')}`]),
    ...(sorted.length === 0 ? [] : [`ORDER BY ${sorted.join(', ')}`]),
    ...(isDefault && excluded === ''
      ? []
      : [`${mode.toUpperCase()} BETWEEN ${bound(start)} AND ${bound(end)}${excluded}`]),
  ].join(' ');
}
