import type { Expression } from '@sluice/core/expression';
import { columnsOf } from '@sluice/core/flow/compile';
import type { Aggregate, Block, DemandPair, Grouping, Input, Source } from '@sluice/core/flow/plan';
import { renumbered } from './level.js';

/*
 * Which blocks are kept without the rows of their table (docs/decisions/065). Of these a change of one row is told by
 * the row as it was and as it is, whatever the others are: the aggregates are self-maintainable.
 */

/** Aggregates that neither show their values nor depend on their order. What floats add up to depends on it. */
const BY_COUNTS: ReadonlySet<string> = new Set(
  'count_all count sum_int8 sum_numeric min max bool_and bool_or bit_and bit_or bit_xor'.split(' '),
);

/** Parameters of a block whose values come from rows of the block around it: they may be very many. */
type OfRows = ReadonlySet<number>;

/** @param hasWholeOldRows whether the stream brings rows of the table whole, before and after each change */
export function tallied(
  block: Block,
  hasWholeOldRows: (table: number) => boolean,
  ofRows: OfRows = new Set(),
): Block {
  const source = talliedSource(block, ofRows);
  if (source !== null && hasWholeOldRows(source.table)) return trimmed(block, source);
  const inputs = block.inputs.map((input) =>
    input.of.kind === 'block'
      ? {
          ...input,
          of: { ...input.of, block: tallied(input.of.block, hasWholeOldRows, ofRowsBelow(input, ofRows)) },
        }
      : input,
  );
  return { ...block, inputs };
}

/** Tables of which fewer rows would be held, if the stream brought them whole. */
export function tablesToTally(block: Block, ofRows: OfRows = new Set()): readonly number[] {
  const source = talliedSource(block, ofRows);
  if (source !== null) return source.tallied === true ? [] : [source.table];
  return block.inputs.flatMap((input) =>
    input.of.kind === 'block' ? tablesToTally(input.of.block, ofRowsBelow(input, ofRows)) : [],
  );
}

function ofRowsBelow({ demand: { parent, pairs } }: Input, ofRows: OfRows): OfRows {
  const isOfRow = ({ ofParams, parentColumn }: DemandPair): boolean =>
    parent === null || ofParams === true ? ofRows.has(parentColumn) : true;
  return new Set(pairs.filter(isOfRow).map(({ column }) => column));
}

/** The one table that a block aggregates, where its rows need not be held. */
function talliedSource({ inputs, group, sets }: Block, ofRows: OfRows): Source | null {
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0 || sets !== undefined || group === null) return null;
  if (input.of.kind !== 'table' || input.join !== 'inner') return null;
  if (!group.aggregates.every(({ fn }) => BY_COUNTS.has(fn))) return null;
  return isByKey(input, ofRows) ? input.of : null;
}

/**
 * Where rows above ask by more than equalities, as in `id < issue.id`, many of them ask for the same rows of the table:
 * held, these serve them all, while each tally is read by itself.
 */
function isByKey({ demand }: Input, ofRows: OfRows): boolean {
  const asked = new Set(demand.pairs.map(({ parentColumn }) => parentColumn));
  return [...ofRows].every((param) => asked.has(param));
}

/** Of the table's columns only those that the block reads: images that are equal are one. */
function trimmed(block: Block, source: Source): Block {
  const { where, group } = block;
  const [input] = block.inputs;
  if (input === undefined || group === null) throw new Error('assertion failed: a tally has an input');
  const read = new Set<number>(input.demand.pairs.map(({ column }) => column));
  const expressions = [...where, ...input.on, ...group.keys, ...group.aggregates.flatMap(readBy)];
  for (const one of expressions) for (const column of columnsOf(one)) read.add(column);
  const columns = [...read].toSorted((a, b) => a - b);
  const at = (column: number): number => columns.indexOf(column);
  const renamed = (one: Expression): Expression => renumbered(one, at);
  return {
    ...block,
    inputs: [
      {
        ...input,
        of: {
          kind: 'table',
          table: source.table,
          columns: source.columns.filter((_, column) => read.has(column)),
          key: [],
          tallied: true,
        },
        on: input.on.map(renamed),
        width: columns.length,
        demand: {
          ...input.demand,
          pairs: input.demand.pairs.map((pair) => ({ ...pair, column: at(pair.column) })),
        },
      },
    ],
    where: where.map(renamed),
    group: withNames(group, renamed),
  };
}

function readBy({ args, filter }: Aggregate): readonly Expression[] {
  return filter === null ? args : [...args, filter];
}

function withNames(group: Grouping, renamed: (one: Expression) => Expression): Grouping {
  return {
    ...group,
    keys: group.keys.map(renamed),
    aggregates: group.aggregates.map((one) => ({
      ...one,
      args: one.args.map(renamed),
      order: [],
      filter: one.filter === null ? null : renamed(one.filter),
    })),
  };
}
