import type { PgText, RowKey } from '../value.js';

/** A base row that at least one member holds: once, whatever the number of members. */
export interface HeldRow {
  readonly key: RowKey;
  /** The plan's columns. */
  readonly values: readonly PgText[];
  /** The projected row as JSON, and the key as JSON: encoded once for all members. */
  readonly json: string;
  readonly keyJson: string;
}

/** An encoded operation of a delta (`wire.ts`, `Op`). */
export type EncodedOp = string;

export function putOp(
  row: Pick<HeldRow, 'json' | 'keyJson'>,
  after?: Pick<HeldRow, 'keyJson'> | null,
): EncodedOp {
  if (after === undefined) return `["put",${row.keyJson},${row.json}]`;
  return `["put",${row.keyJson},${row.json},${after === null ? 'null' : after.keyJson}]`;
}

export function delOp(row: Pick<HeldRow, 'keyJson'>): EncodedOp {
  return `["del",${row.keyJson}]`;
}
