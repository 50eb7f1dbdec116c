import type { PgText } from '../value.js';
import { parseRow } from './row-text.js';

/** The text of a row value. (Postgres manual, "Composite Type Input and Output Syntax") */
export function printRow(fields: readonly PgText[]): string {
  return `(${fields.map((field) => (field === null ? '' : printField(field))).join(',')})`;
}

/** What must stand in quotes: nothing at all, and what would end a field or be read as something else. */
const QUOTED = /^$|[(),"\\ \t\n\v\f\r]/;

function printField(field: string): string {
  return QUOTED.test(field) ? `"${field.replace(/["\\]/g, '$&$&')}"` : field;
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
