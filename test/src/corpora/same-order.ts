import type { TextRow } from '../judge/answer.js';

/**
 * Whether two orders of the same rows are both the query's: equal rows may stand in any order.
 * @param names of the columns that it returns
 * @returns null where it orders by something that it does not return, so that nobody can tell from outside
 */
export function sameOrder(
  sql: string,
  names: readonly string[],
  one: readonly TextRow[],
  other: readonly TextRow[],
): boolean | null {
  const columns = orderColumns(sql, names);
  if (columns === null) return null;
  const keys = (rows: readonly TextRow[]): string =>
    JSON.stringify(rows.map((row) => columns.map((column) => row[column])));
  return keys(one) === keys(other);
}

/** The last ORDER BY of a text, when it is the query's own and names columns that are returned. */
function orderColumns(sql: string, names: readonly string[]): readonly number[] | null {
  const last = /^[^]*\border\s+by\s+([^()]*?)(?:\s(?:limit|offset|fetch)\s[^()]*)?[\s;]*$/i.exec(sql)?.[1];
  if (last === undefined) return null;
  const columns = last.split(',').map((item) => {
    const word = item
      .replaceAll(/\b(?:asc|desc|nulls\s+(?:first|last))\b/gi, '')
      .replace(/^\s*\w+\./, '')
      .trim()
      .toLowerCase();
    return /^\d+$/.test(word) ? Number(word) - 1 : names.indexOf(word);
  });
  return columns.every((column) => column >= 0 && column < names.length) ? columns : null;
}
