import { EDITED_LENGTH_MIN } from './row-edits.js';

/** Of what is read anyway. */
export const UNPRINTED = 0;

/** Texts of different prints differ. FNV-1a (Fowler, Noll, Vo); none of a text that is long enough to be told by edits. */
export function printOf(json: string): number {
  if (json.length >= EDITED_LENGTH_MIN) return UNPRINTED;
  let print = 0x811c9dc5;
  for (let at = 0; at < json.length; at++) print = Math.imul(print ^ json.charCodeAt(at), 0x01000193);
  return print === UNPRINTED ? 1 : print;
}
