const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
};
// eslint-disable-next-line no-control-regex -- the characters that JSON escapes
const ESCAPED = /[\u0000-\u001f"\\]/g;

/** A JSON string as Postgres writes it: only what must be escaped is. */
export function printString(value: string): string {
  const escaped = value.replace(
    ESCAPED,
    (unit) => ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
