import type { Block, Demand, Input } from '@sluice/core/flow/plan';

/*
 * EXISTS that asks for nothing but equalities needs no block of its own: whether there is a row of the table under the
 * key of the row above is seen from the rows themselves. As a block it would have an answer to hold for every row above.
 * With other conditions it stays one: which rows meet them is then known without looking at all of them again.
 *
 *    i ◀─ exists ─ (SELECT FROM c WHERE c.issue_id = $1)      becomes      i ◀─ exists ─ c, by c.issue_id
 */
export function flattened(block: Block): Block {
  return { ...block, inputs: block.inputs.map(flattenedInput) };
}

function flattenedInput(input: Input): Input {
  if (input.of.kind === 'table') return input;
  const block = flattened(input.of.block);
  const own = soleInput(block);
  if (input.join !== 'exists' || input.on.length > 0 || own === null)
    return { ...input, of: { ...input.of, block } };
  const demand = through(input.demand, own.demand);
  return demand === null ? { ...input, of: { ...input.of, block } } : { ...input, of: own.of, demand };
}

/** The table whose rows, under a key of the parameters, the block's are, if it says no more than that. */
function soleInput(block: Block): Input | null {
  const { inputs, where, group, windows, project, distinct, distinctOn, limit, offset, sets, rows } = block;
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0 || input.of.kind !== 'table' || input.join !== 'inner')
    return null;
  const isPlain = group === null && windows === undefined && !distinct && distinctOn === undefined;
  const isWhole = limit === null && offset === null && sets === undefined && rows === undefined;
  const isBare = where.length + input.on.length + project.length === 0;
  return isPlain && isWhole && isBare ? input : null;
}

/** How a table hangs on the block around the one that it is the table of; null where it does not hang on one row alone. */
function through({ parent, pairs: given }: Demand, { pairs }: Demand): Demand | null {
  if (parent === null || pairs.length === 0) return null;
  const found = pairs.map(({ column, parentColumn: param, type }) => {
    const from = given.find((pair) => pair.column === param);
    return from === undefined || from.ofParams === true
      ? null
      : { column, parentColumn: from.parentColumn, type };
  });
  return found.every((pair) => pair !== null) ? { parent, pairs: found } : null;
}
