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

/** Prints as Postgres does: two upper-case hexadecimal halves, `16/B374D848`. */
export function formatLsn(value: Lsn): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** Reads what `formatLsn` and Postgres print. @returns null when the text is no LSN. */
export function parseLsn(text: string): Lsn | null {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!match) return null;
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}
