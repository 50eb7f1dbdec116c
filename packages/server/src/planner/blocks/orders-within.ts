import type { Expression } from '@sluice/core/expression';
import type { Aggregate, Block, Grouping, Input } from '@sluice/core/flow/plan';
import type { Select } from '../../analysis/query-tree.js';
import type { AggregateOrder } from './aggregates.js';
import type { Level } from './level.js';
import { NotABlock } from './reasons.js';

/** Aggregates whose answer depends on the order of their values. */
const ORDERED: ReadonlySet<string> = new Set([
  'array_agg',
  'string_agg',
  'bytea_string_agg',
  'json_agg',
  'json_agg_lines',
  'json_object_agg',
  'jsonb_object_agg',
  'fold',
]);

const NOTE =
  'The order of the values within an aggregate is not given in full: they stand in the order of the keys of their rows.';

/**
 * What aggregates leave open, a sentence each.
 * @throws NotABlock where digits depend on it
 */
export function openOrders(grouping: Grouping | null, inputs: readonly Input[]): readonly string[] {
  const open = grouping?.aggregates.filter((aggregate) => isOpen(aggregate, inputs)) ?? [];
  if (open.some(({ fn }) => fn === 'fold')) throw new NotABlock('float_sum');
  return open.length === 0 ? [] : [NOTE];
}

/** A subquery with ORDER BY that is all of FROM hands on its rows in that order. */
export function orderOfFrom({ from, grouping }: Select, level: Level): AggregateOrder {
  const [source] = from;
  if (from.length !== 1 || source?.kind !== 'relation' || source.relation.kind !== 'subquery') return [];
  const at = level.inputOf(source.relation.id);
  const of = at === undefined ? undefined : level.drafts[at]?.of;
  if (at === undefined || of?.kind !== 'block' || grouping === null || grouping.keys.length > 0) return [];
  return of.block.order.map((term) => ({
    expression: level.columnOfInput(at, term.column),
    term,
    type: of.block.types[term.column] ?? { kind: 'opaque' },
  }));
}

/** Whether rows may stand in several orders in the answer of an aggregate, as far as the plan says. */
function isOpen(aggregate: Aggregate, inputs: readonly Input[]): boolean {
  if (!ORDERED.has(aggregate.fn) || aggregate.distinct) return false;
  return !tellsApart(inputs, columnsOf(aggregate.order.map(({ expression }) => expression)));
}

/** Whether there is one joined row at most with the same values of these columns. */
function tellsApart(inputs: readonly Input[], given: ReadonlySet<number>): boolean {
  const known = new Set(given);
  const open = new Set(inputs.filter(({ join }) => join !== 'exists' && join !== 'scalar'));
  for (let any = true; any;) {
    any = false;
    for (const input of open) {
      if (!isOne(input, inputs, known)) continue;
      for (let at = 0; at < input.width; at++) known.add(input.offset + at);
      open.delete(input);
      any = true;
    }
  }
  return open.size === 0;
}

/** Whether what is known leaves one row of an input. */
function isOne(
  { of, offset, width, demand }: Input,
  inputs: readonly Input[],
  known: ReadonlySet<number>,
): boolean {
  const parent = demand.parent === null ? null : (inputs[demand.parent] ?? null);
  const isGiven = ({ parentColumn, ofParams }: Input['demand']['pairs'][number]): boolean =>
    parent === null || ofParams === true || known.has(parent.offset + parentColumn);
  if (of.kind === 'table') {
    const fixed = new Set(demand.pairs.filter(isGiven).map(({ column }) => column));
    return of.key.every((column) => fixed.has(column) || known.has(offset + column));
  }
  if (!demand.pairs.every(isGiven)) return false;
  const own = Array.from({ length: width }, (_, at) => at).filter((at) => known.has(offset + at));
  return isOneOfBlock(of.block, new Set(own));
}

function isOneOfBlock(
  { group, project, distinct, inputs, sets }: Block,
  outputs: ReadonlySet<number>,
): boolean {
  if (sets !== undefined) return false;
  if (distinct && project.every((_, at) => outputs.has(at))) return true;
  const known = columnsOf(project.filter((_, at) => outputs.has(at)));
  if (group === null) return tellsApart(inputs, known);
  return group.sets === undefined && group.keys.every((_, at) => known.has(at));
}

function columnsOf(expressions: readonly Expression[]): Set<number> {
  return new Set(expressions.flatMap((one) => (one.op === 'column' ? [one.column] : [])));
}
