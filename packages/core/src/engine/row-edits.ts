import type { PgText, Row } from '../value.js';
import type { ColumnEdit } from '../wire.js';
import { splicesBetween } from './splices.js';

/** Rows and texts that are shorter are told whole: there is little to save. */
export const EDITED_LENGTH_MIN = 256;

/**
 * What makes one row of another, as JSON, both rows being encoded; null when that is not much shorter than the row.
 */
export function editsBetween(before: string, after: string): string | null {
  if (before.length < EDITED_LENGTH_MIN || after.length < EDITED_LENGTH_MIN) return null;
  const [old, next] = [JSON.parse(before) as Row, JSON.parse(after) as Row];
  const edits = next.flatMap((text, column): ColumnEdit[] => {
    const was = old[column] ?? null;
    return text === was ? [] : [[column, shorter(was, text)]];
  });
  const json = JSON.stringify(edits);
  return 2 * json.length <= after.length ? json : null;
}

/** The new text, or its splices when these are much shorter. */
function shorter(before: PgText, after: PgText): ColumnEdit[1] {
  if (
    before === null ||
    after === null ||
    after.length < EDITED_LENGTH_MIN ||
    before.length < EDITED_LENGTH_MIN
  )
    return after;
  const splices = splicesBetween(before, after);
  const length = splices.reduce((sum, [, , inserted]) => sum + inserted.length + SPLICE_LENGTH, 0);
  return 2 * length <= after.length ? splices : after;
}

/** What a splice takes beside what it inserts, about. */
const SPLICE_LENGTH = 16;
