import type { PgText, Row } from './value.js';
import type { ColumnEdit, Splice } from './wire.js';

/**
 * The row that an `edit` of the wire makes of the one that is held.
 * @throws SyntaxError when it is no edit of that row: of a text that is not there, or not so long
 */
export function editRow(row: Row, edits: readonly ColumnEdit[]): Row {
  const edited: PgText[] = [...row];
  for (const [column, to] of edits) {
    edited[column] = typeof to === 'object' && to !== null ? splice(row[column] ?? '', to) : to;
  }
  return edited;
}

/** @throws SyntaxError when the splices do not lie one after the other within the text */
function splice(text: string, splices: readonly Splice[]): string {
  let spliced = '';
  let at = 0;
  for (const [start, removed, inserted] of splices) {
    if (start < at || start + removed > text.length) throw new SyntaxError('no splice of this text');
    spliced += text.slice(at, start) + inserted;
    at = start + removed;
  }
  return spliced + text.slice(at);
}
