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

/**
 * The query without its last LIMIT, where that cuts rows in an order: equal rows on either side of the cut may stand
 * for each other. Null of any other query.
 */
export function uncut(sql: string): string | null {
  const [, before, offset] =
    /^([^]*\border\s+by\s[^()]*?)\slimit\s+\d+(\s+offset\b)?[\s;]*$/i.exec(sql) ?? [];
  return offset === undefined ? (before ?? null) : null;
}

/** Columns of a subquery, from the first, by which its rows may be cut. */
const CUT_BY = 4;

/**
 * The query with an order for every LIMIT of a subquery that cuts rows in none: which these are is open, and each text
 * settles it in one way. Not all of them need be valid.
 */
export function cutOtherwise(sql: string): readonly string[] {
  const cuts = [...sql.matchAll(/\slimit\s+\d+\s*\)/gi)]
    .map(({ index }) => index)
    .filter((at) => !isOrdered(sql, at));
  if (cuts.length === 0) return [];
  return Array.from({ length: CUT_BY }, (_, at) => [`${at + 1}`, `${at + 1} DESC`])
    .flat()
    .map((order) =>
      cuts.toReversed().reduce((text, at) => `${text.slice(0, at)} ORDER BY ${order}${text.slice(at)}`, sql),
    );
}

/** Whether there is an ORDER BY between a place in a subquery and the parenthesis that opens this. */
function isOrdered(sql: string, end: number): boolean {
  let own = '';
  let depth = 0;
  for (let at = end - 1; at >= 0; at--) {
    const char = sql.charAt(at);
    if (char === ')') depth++;
    if (char === '(' && --depth < 0) break;
    if (depth === 0) own = char + own;
  }
  return /\border\s+by\b/i.test(own);
}

/** Whether each row is one of the others, as often as it is there. */
export function areAmong(some: readonly TextRow[], all: readonly TextRow[]): boolean {
  const left = new Map<string, number>();
  for (const row of all) left.set(JSON.stringify(row), (left.get(JSON.stringify(row)) ?? 0) + 1);
  return some.every((row) => {
    const text = JSON.stringify(row);
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count > 0;
  });
}

const LISTS =
  /\b(?:array|string|xml|jsonb?(?:_object)?(?:_unique|_strict)*)_?agg\s*\((?![^()]*\border\s+by\b)/i;

/**
 * Whether a query makes a list of rows in an order that it leaves open, and all that differs is that order: the values are
 * made of the same characters.
 */
export function isListedOtherwise(sql: string, one: readonly TextRow[], other: readonly TextRow[]): boolean {
  if (!LISTS.test(sql)) return false;
  const pieces = (rows: readonly TextRow[]): string =>
    JSON.stringify(
      rows
        .map((row) => JSON.stringify(row.map((value) => [...(value ?? '\0')].toSorted().join(''))))
        .toSorted(),
    );
  return pieces(one) === pieces(other);
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
