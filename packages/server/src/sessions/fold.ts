import type { Delta, Op } from '@sluice/core/wire';
import type { RowKey } from '@sluice/core/value';
import { encode } from './encode.js';
import type { Version } from './feed.js';

/**
 * Several chained deltas as one (C13), for clients that were slow. Without an order the last operation on a key is
 * all that counts; in an ordered view each operation builds on the places that those before it made, so they stay.
 */
export function fold(versions: readonly Version[], ordered: boolean): Uint8Array | null {
  const deltas: Delta[] = [];
  for (const version of versions) {
    if (version.delta === null) return null;
    deltas.push(JSON.parse(Buffer.from(version.delta).toString()) as Delta);
  }
  const [first, last] = [deltas[0], deltas.at(-1)];
  if (first === undefined || last === undefined) return null;
  const ops = ordered ? deltas.flatMap((delta) => delta.ops) : lastOps(deltas);
  return encode({ kind: 'delta', view: first.view, from: first.from, to: last.to, ops });
}

function lastOps(deltas: readonly Delta[]): Op[] {
  const ops = new Map<RowKey, Op>();
  for (const delta of deltas) for (const op of delta.ops) ops.set(op[1], op);
  return [...ops.values()];
}
