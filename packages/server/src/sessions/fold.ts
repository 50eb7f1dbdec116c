import type { Delta, Op } from '@sluice/core/wire';
import type { RowKey } from '@sluice/core/value';
import { encode } from './encode.js';

/**
 * Several chained deltas as one (C13), for clients that were slow. Without an order what counts on a key is the last
 * operation that says all of its row, and the edits after it; in an ordered view each operation builds on the places that
 * those before it made, so they stay.
 */
export function fold(encoded: readonly Uint8Array[], ordered: boolean): Uint8Array | null {
  const deltas = encoded.map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as Delta);
  const [first, last] = [deltas[0], deltas.at(-1)];
  if (first === undefined || last === undefined) return null;
  const ops = ordered ? deltas.flatMap((delta) => delta.ops) : lastOps(deltas);
  return encode({ kind: 'delta', view: first.view, from: first.from, to: last.to, ops });
}

function lastOps(deltas: readonly Delta[]): Op[] {
  const ops = new Map<RowKey, Op[]>();
  for (const delta of deltas) {
    for (const op of delta.ops) {
      const before = ops.get(op[1]);
      if (op[0] === 'edit' && before !== undefined) before.push(op);
      else ops.set(op[1], [op]);
    }
  }
  return [...ops.values()].flat();
}
