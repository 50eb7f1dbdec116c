import { parsePlPgSQLSync, parseSync } from 'libpg-query';
import type { Run } from '../source/source.js';
import { functionSource, type FoundFunction, type FunctionSource } from './catalog-lookup.js';
import { collectReferences, type References } from './references.js';

/** What can be read of a function's body (C22). */
export type Body =
  /** Nothing beyond what Postgres recorded. */
  | { readonly kind: 'recorded' }
  | { readonly kind: 'statements'; readonly statements: readonly References[] }
  | { readonly kind: 'opaque'; readonly reason: string };

export async function readBody(run: Run, found: FoundFunction): Promise<Body> {
  if (found.kind === 'a') return { kind: 'recorded' };
  if (found.language === 'sql' || found.language === 'plpgsql') {
    const source = await functionSource(run, found.oid);
    if (source.atomic) return { kind: 'recorded' };
    if (source.searchPath !== null) return opaque('it sets its own search_path');
    return found.language === 'sql' ? sqlBody(source) : plpgsqlBody(source);
  }
  if (found.volatility === 'i') return { kind: 'recorded' };
  return opaque(`it is written in ${found.language} and may read anything`);
}

function sqlBody(source: FunctionSource): Body {
  return statementsOf([source.body]);
}

/** plpgsql compiles to a tree whose expressions are SQL texts: each is read as the statement it becomes. */
function plpgsqlBody(source: FunctionSource): Body {
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(source.definition);
  } catch {
    return opaque('its body could not be read');
  }
  const texts: string[] = [];
  if (!collectPlpgsql(tree, texts)) return opaque('it runs SQL that it builds itself (EXECUTE)');
  return statementsOf(texts);
}

/** @returns false when there is dynamic SQL. */
function collectPlpgsql(value: unknown, texts: string[]): boolean {
  if (Array.isArray(value)) return value.every((item) => collectPlpgsql(item, texts));
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, inner]) => {
    if (/^PLpgSQL_stmt_(dynexecute|dynfors)$/.test(key)) return false;
    if (key === 'PLpgSQL_stmt_open' && JSON.stringify(inner).includes('"dynquery"')) return false;
    if (key === 'dynquery') return false;
    if (key === 'PLpgSQL_expr') {
      const { query } = inner as { readonly query?: string };
      if (query !== undefined) texts.push(query);
      return true;
    }
    return collectPlpgsql(inner, texts);
  });
}

/** Each text is a statement, an expression, or an assignment. */
function statementsOf(texts: readonly string[]): Body {
  const statements: References[] = [];
  for (const text of texts) {
    const parsed =
      parseAs(text) ?? parseAs(`SELECT ${text}`) ?? parseAs(`SELECT ${text.replace(/^[^:=]+:?=/, '')}`);
    if (parsed === null) return opaque('its body could not be read');
    for (const { stmt } of parsed.stmts ?? []) {
      if (stmt === undefined || !('SelectStmt' in stmt)) return opaque('it holds more than SELECT');
      const { intoClause: _target, ...select } = stmt.SelectStmt;
      statements.push(collectReferences(select));
    }
  }
  return { kind: 'statements', statements };
}

function parseAs(text: string): ReturnType<typeof parseSync> | null {
  try {
    return parseSync(text);
  } catch {
    return null;
  }
}

function opaque(reason: string): Body {
  return { kind: 'opaque', reason };
}
