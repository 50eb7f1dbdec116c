import type { PgText } from '../value.js';
import { notReproduced } from './errors.js';

/** The text of a row value. (Postgres manual, "Composite Type Input and Output Syntax") */
export function printRow(fields: readonly PgText[]): string {
  return `(${fields.map((field) => (field === null ? '' : printField(field))).join(',')})`;
}

/** What must stand in quotes: nothing at all, and what would end a field or be read as something else. */
const QUOTED = /^$|[(),"\\ \t\n\v\f\r]/;

function printField(field: string): string {
  return QUOTED.test(field) ? `"${field.replace(/["\\]/g, '$&$&')}"` : field;
}

const FIELD = /("(?:[^"\\]|""|\\.)*"|[^,()"]*)([,)])/sy;

/** @param text as `printRow` makes it */
export function parseRow(text: string): readonly PgText[] {
  const fields: PgText[] = [];
  if (text === '()') return fields;
  for (let at = 1; at < text.length;) {
    FIELD.lastIndex = at;
    const [, field = ''] = FIELD.exec(text) ?? notReproduced('text that is no row');
    fields.push(field === '' ? null : field.startsWith('"') ? unquoted(field) : field);
    at = FIELD.lastIndex;
  }
  return fields;
}

function unquoted(field: string): string {
  return field.slice(1, -1).replace(/(["\\])(.)/gs, '$2');
}

/** Field by field; NULLs are equal, and above all else. (rowtypes.c, `record_cmp`) */
export function rowComparator(
  fields: readonly ((left: string, right: string) => number)[],
): (left: string, right: string) => number {
  return (left, right) => {
    const [a, b] = [parseRow(left), parseRow(right)];
    for (const [at, compare] of fields.entries()) {
      const [x, y] = [a[at] ?? null, b[at] ?? null];
      if (x === null || y === null) {
        if (x !== y) return x === null ? 1 : -1;
        continue;
      }
      const order = compare(x, y);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** Text that is the same for equal rows. */
export function rowKey(fields: readonly ((value: string) => string)[]): (text: string) => string {
  return (text) =>
    printRow(parseRow(text).map((value, at) => (value === null ? null : (fields[at]?.(value) ?? value))));
}
