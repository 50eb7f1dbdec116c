declare const lsn: unique symbol;

/**
 * A byte position in the write-ahead log, as a 64-bit integer.
 * Never a JavaScript number: a log outgrows 2^53 bytes long before it outgrows Postgres.
 * (Postgres manual, "pg_lsn Type".)
 */
export type Lsn = bigint & { readonly [lsn]: true };

/** Below every commit. */
export const LSN_ZERO: Lsn = 0n as Lsn;

export function asLsn(value: bigint): Lsn {
  return value as Lsn;
}

/** One LSN at a time. */
const bytes = new DataView(new ArrayBuffer(8));

/*
 * An LSN that is held takes an object of its own; its halves, as signed integers of 32 bits, are in whatever holds them.
 */

export function highHalf(lsn: Lsn): number {
  bytes.setBigUint64(0, lsn);
  return bytes.getInt32(0);
}

export function lowHalf(lsn: Lsn): number {
  bytes.setBigUint64(0, lsn);
  return bytes.getInt32(4);
}

export function lsnOfHalves(high: number, low: number): Lsn {
  bytes.setInt32(0, high);
  bytes.setInt32(4, low);
  return bytes.getBigUint64(0) as Lsn;
}

/** Prints as Postgres does: two upper-case hexadecimal halves, `16/B374D848`. */
export function formatLsn(value: Lsn): string {
  return `${hexOf(highHalf(value))}/${hexOf(lowHalf(value))}`;
}

function hexOf(half: number): string {
  return (half >>> 0).toString(16).toUpperCase();
}

/** Reads what `formatLsn` and Postgres print. @returns null when the text is no LSN. */
export function parseLsn(text: string): Lsn | null {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!match) return null;
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}
