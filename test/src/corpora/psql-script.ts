import { readCopied } from './copied-rows.js';

// As much of psql as scripts of others need: statements between semicolons, lines that begin with a backslash, variables,
// and rows that follow a COPY FROM stdin.

/** Where a text, a name or a comment ends that begins here; else where it is. */
function past(text: string, at: number): number {
  const rest = (end: string, from: number): number => {
    const found = text.indexOf(end, from);
    return found < 0 ? text.length : found + end.length;
  };
  if (text.startsWith('--', at)) return rest('\n', at);
  if (text.startsWith('/*', at)) return pastComment(text, at);
  if (text[at] === '"') return rest('"', at + 1);
  if (text[at] === "'") return pastString(text, at);
  if (text[at] !== '$' || /\w/.test(text[at - 1] ?? '')) return at;
  const tag = /^\$(?:[a-z_]\w*)?\$/i.exec(text.slice(at, at + 64))?.[0];
  return tag === undefined ? at : rest(tag, at + tag.length);
}

function pastComment(text: string, at: number): number {
  let depth = 0;
  for (let here = at; here < text.length; here++) {
    if (text.startsWith('/*', here)) depth++;
    else if (text.startsWith('*/', here) && --depth === 0) return here + 2;
    else continue;
    here++;
  }
  return text.length;
}

function pastString(text: string, at: number): number {
  const escapes = /[eE]/.test(text[at - 1] ?? '') && !/\w/.test(text[at - 2] ?? '');
  let here = at + 1;
  for (; here < text.length && text[here] !== "'"; here++) if (escapes && text[here] === '\\') here++;
  return here + 1;
}

/** Values of `\set` and what the script's own begin with. */
type Variables = Map<string, string>;

function filledIn(text: string, variables: Variables): string {
  return text.replaceAll(/(?<![:\w]):('?)(\w+)\1/g, (whole, quote: string, name: string) => {
    const value = variables.get(name);
    return value === undefined ? whole : `${quote}${value}${quote}`;
  });
}

/** The part of `\set name part part`: put together. */
function setVariable(line: string, variables: Variables): void {
  const [, name, parts] = /^\\set\s+(\w+)\s+(.*)$/.exec(line) ?? [];
  if (name === undefined || parts === undefined) return;
  const values = parts.match(/'[^']*'|\S+/g) ?? [];
  variables.set(name, values.map((one) => filledIn(one.replaceAll("'", ''), variables)).join(''));
}

/**
 * The statements of a script, in their order. Rows after a COPY are statements that insert them.
 * @param variables names in `:name`, as psql would have them at the beginning
 */
export function statementsOf(script: string, variables: Variables): readonly string[] {
  const statements: string[] = [];
  let sql = '';
  let depth = 0;
  const end = (): void => {
    if (/\S/.test(sql)) statements.push(sql.trim());
    sql = '';
    depth = 0;
  };
  for (let at = 0; at < script.length;) {
    const next = past(script, at);
    if (next > at) {
      // A comment is where it was, as white space.
      sql += /^(?:--|\/\*)/.test(script.slice(at, at + 2))
        ? ' '
        : filledIn(script.slice(at, next), variables);
      at = next;
      continue;
    }
    const char = script[at] ?? '';
    if (char === '\\') {
      const eol = script.indexOf('\n', at) < 0 ? script.length : script.indexOf('\n', at);
      const line = script.slice(at, eol);
      setVariable(line, variables);
      if (/^\\(?:g|crosstab)/.test(line)) end();
      at = eol;
      continue;
    }
    at++;
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char !== ';' || depth > 0) {
      if (char !== ':') sql += char;
      else {
        const variable = /^:'?\w+'?/.exec(script.slice(at - 1, at + 64))?.[0] ?? ':';
        const value = script[at - 2] === ':' ? variable : filledIn(variable, variables);
        sql += value === variable ? ':' : value;
        if (value !== variable) at += variable.length - 1;
      }
      continue;
    }
    const copied = readCopied(sql, script, at);
    if (copied === null) end();
    else {
      statements.push(...copied.statements);
      sql = '';
      at = copied.end;
    }
  }
  end();
  return statements;
}
