import { EDITED_LENGTH_MIN, editsBetween } from './row-edits.js';

/** A row as clients are told it: the projected row as JSON, and its key as JSON. */
export interface Told {
  readonly json: string;
  readonly keyJson: string;
}

/** An encoded operation of a delta (`wire.ts`, `Op`); that of a row which clients hold can be told in two ways. */
export type EncodedOp = string | Update;

/** Clients hold the row as it was `before`, under the same key. */
export interface Update {
  readonly before: string;
  /** As it is now, for good. */
  readonly row: Told;
  /** As in `putOp`. */
  readonly after: Pick<Told, 'keyJson'> | null | undefined;
}

/** @param after the row behind which it stands, null for the first place; undefined where it stays, or there is no order */
export function putOp(row: Told, after?: Pick<Told, 'keyJson'> | null): string {
  return `["put",${row.keyJson},${row.json}${placeOf(after)}]`;
}

export function delOp(row: Pick<Told, 'keyJson'>): string {
  return `["del",${row.keyJson}]`;
}

/** @param before as clients hold it, under the same key */
export function updateOp(before: string, row: Told, after?: Pick<Told, 'keyJson'> | null): EncodedOp {
  return row.json.length < EDITED_LENGTH_MIN ? putOp(row, after) : { before, row, after };
}

/** The operation for clients that take no edits. */
export function plainOp(op: EncodedOp): string {
  return typeof op === 'string' ? op : putOp(op.row, op.after);
}

/** The operation as an edit, where that is much shorter. */
export function editOp(op: EncodedOp): string {
  if (typeof op === 'string') return op;
  const edits = editsOf(op);
  return edits === null ? plainOp(op) : `["edit",${op.row.keyJson},${edits}${placeOf(op.after)}]`;
}

/** Of rows that many members hold, and that are held no more once they change: each is compared once. */
const compared = new WeakMap<object, { readonly before: string; readonly edits: string | null }>();

function editsOf({ before, row }: Update): string | null {
  const known = compared.get(row);
  if (known?.before === before) return known.edits;
  const edits = editsBetween(before, row.json);
  compared.set(row, { before, edits });
  return edits;
}

function placeOf(after: Pick<Told, 'keyJson'> | null | undefined): string {
  if (after === undefined) return '';
  return after === null ? ',null' : `,${after.keyJson}`;
}
