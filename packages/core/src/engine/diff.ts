import { delOp, putOp, type EncodedOp } from './held-row.js';

/** A row as clients hold it. */
export interface KeyedRow {
  readonly keyJson: string;
  readonly json: string;
}

/**
 * The operations from one answer to another. In an ordered result the rows of a longest run that keeps its order
 * stay where they are; each other row is put after its predecessor, left to right, so that when an operation is
 * applied everything before its place is final.
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
    const old = place.get(row.keyJson);
    const same = old !== undefined && before[old]?.json === row.json;
    if (!same || (still !== null && !still.has(index)))
      ops.push(still === null ? putOp(row) : putOp(row, previous));
    previous = row;
  });
  return ops;
}

/**
 * Indexes of a longest strictly increasing run, ignoring negative values. (Fredman, "On computing the length of
 * longest increasing subsequences", 1975: patience sorting.)
 */
export function longestRun(values: readonly number[]): Set<number> {
  const tails: number[] = [];
  const previous = new Int32Array(values.length).fill(-1);
  values.forEach((value, index) => {
    if (value < 0) return;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    previous[index] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = index;
  });
  const run = new Set<number>();
  for (let index = tails.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) run.add(index);
  return run;
}
