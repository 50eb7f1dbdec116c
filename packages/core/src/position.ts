import { formatLsn, parseLsn, type Lsn } from './lsn.js';

declare const position: unique symbol;

/**
 * How far along a source is (C1), as it travels: `<epoch>:<lsn>`. Opaque outside the server.
 * The state at a position is the effect of exactly the transactions whose commit record ends at or before it.
 */
export type Position = string & { readonly [position]: true };

/** System identifier and timeline, `7301442958736401234.1`: only a new one may lower an LSN. */
export type Epoch = string;

export function formatPosition(epoch: Epoch, lsn: Lsn): Position {
  return `${epoch}:${formatLsn(lsn)}` as Position;
}

/** @returns null when the text is no position. */
export function parsePosition(text: string): { readonly epoch: Epoch; readonly lsn: Lsn } | null {
  const colon = text.lastIndexOf(':');
  if (colon < 1) return null;
  const lsn = parseLsn(text.slice(colon + 1));
  return lsn === null ? null : { epoch: text.slice(0, colon), lsn };
}
