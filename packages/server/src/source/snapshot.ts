/**
 * What a snapshot saw, as `pg_current_snapshot()` prints it: every transaction below `xmax` that is not in `xip`.
 * (Postgres manual, "Transaction ID and Snapshot Information Functions".)
 */
export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly xip: ReadonlySet<bigint>;
}

/** Reads `xmin:xmax:xip,xip`. */
export function parseSnapshot(text: string): Snapshot {
  const [xmin, xmax, xip] = text.split(':');
  if (xmin === undefined || xmax === undefined) throw new Error(`assertion failed: no snapshot: ${text}`);
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    xip: new Set(xip === undefined || xip === '' ? [] : xip.split(',').map(BigInt)),
  };
}

/**
 * C5. Whether a streamed top-level transaction is part of the snapshot. The stream's xids have 32 bits: they are
 * widened to the one within half an epoch of `xmax`, which Postgres's own wraparound protection makes unambiguous.
 */
export function sees(snapshot: Snapshot, xid: number): boolean {
  const wide = widen(xid, snapshot.xmax);
  return wide < snapshot.xmax && !snapshot.xip.has(wide);
}

/** The 64-bit xid nearest to `near` whose low 32 bits are `xid`. */
export function widen(xid: number, near: bigint): bigint {
  return near + BigInt.asIntN(32, BigInt(xid) - near);
}
