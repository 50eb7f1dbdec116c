import pg from 'pg';

const COPY = /^\s*copy\s+([\w."]+)\s*(\([^)]*\))?\s+from\s+stdin\b(.*)$/is;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The rows that follow a `COPY … FROM stdin` in a script, as statements that insert them; null: it is none. */
export function readCopied(
  sql: string,
  script: string,
  at: number,
): { readonly statements: readonly string[]; readonly end: number } | null {
  const [, table, columns = '', options = ''] = COPY.exec(sql) ?? [];
  if (table === undefined) return null;
  const start = script.indexOf('\n', at) + 1;
  const found = /^\\\.$/m.exec(script.slice(start));
  const end = found === null ? script.length : start + found.index;
  const lines = script.slice(start, end).split('\n').slice(0, -1);
  // Other formats than the usual one are left out.
  const statements = /\S/.test(options)
    ? []
    : lines.map(
        (line) => `INSERT INTO ${table} ${columns} VALUES (${line.split('\t').map(value).join(', ')})`,
      );
  return { statements, end: Math.min(script.length, end + 3) };
}

function value(field: string): string {
  if (field === String.raw`\N`) return 'NULL';
  return pg.escapeLiteral(field.replaceAll(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char));
}
