/**
 * One text for equal rows, made in the same way in the page and on the server: names in order, dates as ISO 8601.
 * Rows of a query without an order are compared as a set.
 */
export function canonicalRows(rows: readonly unknown[], ordered: boolean): string {
  const texts = rows.map(canonical);
  return `[${(ordered ? texts : texts.sort()).join(',\n')}]`;
}

function canonical(value: unknown): string {
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${canonical(entry)}`).join(',')}}`;
}
