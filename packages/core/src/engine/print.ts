import { EDITED_LENGTH_MIN } from './row-edits.js';

/**
 * Texts of different prints differ: of the text that is held, nothing has to be read then. `UNPRINTED` where it is to be
 * read anyway.
 */
export type PrintOf = (json: string) => number;

export const UNPRINTED = 0;

/** FNV-1a (Fowler, Noll, Vo); none of a text that is long enough to be told by edits. */
export const shortPrintOf: PrintOf = (json) => {
  if (json.length >= EDITED_LENGTH_MIN) return UNPRINTED;
  let print = 0x811c9dc5;
  for (let at = 0; at < json.length; at++) print = Math.imul(print ^ json.charCodeAt(at), 0x01000193);
  return print === UNPRINTED ? 1 : print;
};
