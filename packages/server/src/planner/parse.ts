import { hasSqlDetails, loadModule, parseSync, type SelectStmt } from 'libpg-query';
import { plannerError } from './errors.js';
import type { PlannerLimits } from './limits.js';

/** One SELECT in Postgres's own grammar. */
export interface Parsed {
  readonly select: SelectStmt;
  /** The text of the statement alone, as UTF-8: without semicolon. */
  readonly bytes: Buffer;
  /** Locations in the tree are byte offsets into the whole text; the statement begins here. */
  readonly start: number;
}

/** Once, before anything is parsed: loads the parser. */
export const parserReady: () => Promise<void> = loadModule;

/**
 * @throws `syntax_error`, `one_statement_only`, `select_only`, `query_too_large`.
 */
export function parseSelect(sql: string, limits: PlannerLimits): Parsed {
  if (sql.includes('\0')) throw plannerError('syntax_error', 'The text holds a NUL character.');
  const bytes = Buffer.from(sql, 'utf8');
  if (bytes.length > limits.sqlBytesMax)
    throw plannerError('query_too_large', `sqlBytesMax: ${bytes.length} of ${limits.sqlBytesMax} bytes`);
  checkDepth(sql, limits.depthMax);
  const statements = parse(sql).stmts ?? [];
  const [first] = statements;
  if (first === undefined || statements.length > 1)
    throw plannerError('one_statement_only', `It has ${statements.length}.`);
  const node = first.stmt;
  if (node === undefined || !('SelectStmt' in node))
    throw plannerError('select_only', `It is ${statementName(node)}.`);
  const start = first.stmt_location ?? 0;
  const length = first.stmt_len ?? 0;
  return {
    select: node.SelectStmt,
    bytes: bytes.subarray(start, length === 0 ? undefined : start + length),
    start,
  };
}

function parse(sql: string): ReturnType<typeof parseSync> {
  try {
    return parseSync(sql);
  } catch (error) {
    if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError)
      throw plannerError('query_too_large', 'depthMax: too deeply nested for the parser');
    if (error instanceof Error && error.message === 'Query cannot be empty')
      throw plannerError('one_statement_only', 'It has none.');
    const details = hasSqlDetails(error) ? error.sqlDetails : undefined;
    if (details === undefined) throw plannerError('syntax_error', undefined, { cause: error });
    throw plannerError('syntax_error', `${details.message} (position ${details.cursorPosition + 1})`);
  }
}

function statementName(node: object | undefined): string {
  const kind = Object.keys(node ?? {})[0] ?? 'empty';
  return kind.replace(/Stmt$/, '').toUpperCase();
}

const OPEN = new Set(['(', '[']);
const CLOSE = new Set([')', ']']);
/** A chain (`1 + 1 + …`) is cheaper for the parser than a bracket; half of its operators usually stand in flat lists. */
const CHAIN_PER_DEPTH = 5;

/**
 * The parser recurses, and its stack is small: an upper estimate of the depth, made without parsing. Everything
 * that can nest counts — open brackets, and chains of operators, casts, NOT, CASE, set operations — while lists
 * and AND/OR chains, which stay flat, do not. Quoted text is skipped; if it is misread the estimate only grows.
 */
function checkDepth(sql: string, depthMax: number): void {
  const token =
    /'(?:[^']|'')*'|"[^"]*"|[([\])]|,\s*[-+]|[-+*/<>=~!@#%^&|`?]+|::|\b(?:not|case|union|except|intersect|collate|at|join)\b/gi;
  let open = 0;
  let openMax = 0;
  let chain = 0;
  for (const [text] of sql.matchAll(token)) {
    if (OPEN.has(text)) openMax = Math.max(openMax, ++open);
    else if (CLOSE.has(text)) open--;
    else if (!text.startsWith("'") && !text.startsWith('"') && !text.startsWith(',')) chain++;
  }
  if (openMax > depthMax || chain > depthMax * CHAIN_PER_DEPTH)
    throw plannerError('query_too_large', `depthMax: more than ${depthMax}`);
}
