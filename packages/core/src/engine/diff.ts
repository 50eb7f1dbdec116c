import { delOp, putOp, updateOp, type EncodedOp } from './held-row.js';
import { longestRun } from './longest-run.js';

/** A row as clients hold it. */
export interface KeyedRow {
  readonly keyJson: string;
  readonly json: string;
}

/**
 * The operations from one answer to another. In an ordered result the rows of a longest run that keeps its order
 * stay where they are, and are told without a place; each other row is put after its predecessor, left to right, so that
 * when an operation is applied everything before its place is final.
 */
export function diffRows(
  before: readonly KeyedRow[],
  after: readonly KeyedRow[],
  ordered: boolean,
): EncodedOp[] {
  const ops: EncodedOp[] = [];
  const place = new Map(before.map((row, index) => [row.keyJson, index]));
  const kept = new Set(after.map((row) => row.keyJson));
  for (const row of before) if (!kept.has(row.keyJson)) ops.push(delOp(row));
  const still = ordered ? longestRun(after.map((row) => place.get(row.keyJson) ?? -1)) : null;
  let previous: KeyedRow | null = null;
  after.forEach((row, index) => {
    const old = before[place.get(row.keyJson) ?? -1];
    const stays = still === null || still.has(index);
    const after = stays ? undefined : previous;
    if (old?.json !== row.json || !stays)
      ops.push(old === undefined ? putOp(row, after) : updateOp(old.json, row, after));
    previous = row;
  });
  return ops;
}
