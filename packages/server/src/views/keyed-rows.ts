import { createHash } from 'node:crypto';
import type { KeyedRow } from '@sluice/core/engine/diff';
import type { PgText, Row } from '@sluice/core/value';

/**
 * Gives the rows of a computed answer their keys (C16): the columns that the planner found to identify a row,
 * as long as they do; else the row's own bytes and its occurrence among equals.
 */
export function keyRows(
  rows: readonly Row[],
  keyColumns: readonly number[] | null,
): { rows: KeyedRow[]; identified: boolean } {
  if (keyColumns !== null) {
    const keyed = rows.map((row) => ({
      keyJson: JSON.stringify(columnKey(row, keyColumns)),
      json: JSON.stringify(row),
    }));
    if (new Set(keyed.map((row) => row.keyJson)).size === rows.length)
      return { rows: keyed, identified: true };
  }
  return { rows: byContent(rows), identified: false };
}

export function columnKey(row: readonly PgText[], columns: readonly number[]): string {
  const first = row[columns[0] ?? 0] ?? null;
  if (columns.length === 1 && first !== null) return first;
  return JSON.stringify(columns.map((column) => row[column] ?? null));
}

function byContent(rows: readonly Row[]): KeyedRow[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const json = JSON.stringify(row);
    const hash = createHash('sha256').update(json).digest('base64url').slice(0, 22);
    const occurrence = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, occurrence);
    return { keyJson: JSON.stringify(occurrence === 1 ? hash : `${hash}.${occurrence}`), json };
  });
}
