import { EncodeError, encodeParams } from '@sluice/core/encode';
import type { PgText } from '@sluice/core/value';
import { builderKind, builtQuery } from './builder.js';
import { resolvingError } from './errors.js';

/** What a named query comes to for one caller. */
export interface Resolved {
  readonly sql: string;
  readonly params: readonly PgText[];
  readonly tick?: string;
}

/**
 * Reads what the application's function returned: a builder, or SQL, or a promise of SQL. Drizzle's builders are
 * thenables that run when they are awaited: so a builder is looked for before anything is awaited.
 * @throws SluiceError `query_answer_invalid`
 */
export async function readAnswer(returned: unknown, name: string): Promise<Resolved> {
  const built = builtQuery(returned, name);
  if (built !== null) return fromPlain(built, name);
  const answer = await returned;
  if (answer !== returned && looksLikeRow(answer)) throw awaited(name);
  return fromPlain(builtQuery(answer, name) ?? answer, name);
}

const MEMBERS = new Set(['sql', 'text', 'params', 'values', 'tick']);

/**
 * Whether what a promise gave is what a builder gives when it runs. A row may well have a column `text`: nothing that
 * could be one is taken for SQL.
 */
function looksLikeRow(answer: unknown): boolean {
  if (Array.isArray(answer) || answer === undefined) return true;
  if (typeof answer !== 'object' || answer === null || builderKind(answer) !== null) return false;
  const names = Object.keys(answer);
  return (
    names.some((name) => !MEMBERS.has(name)) ||
    ('text' in answer && !('values' in answer || 'params' in answer))
  );
}

/** An application's answer is checked like any other input. */
function fromPlain(answer: unknown, name: string): Resolved {
  const given: Record<string, unknown> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const sql = given['sql'] ?? given['text'];
  const params = given['params'] ?? given['values'] ?? [];
  const tick = given['tick'];
  if (typeof sql !== 'string' || sql === '')
    throw resolvingError('query_answer_invalid', `${name} returned no SQL`);
  if (!Array.isArray(params))
    throw resolvingError('query_answer_invalid', `${name} returned params that are no list`);
  if (tick !== undefined && typeof tick !== 'string') {
    throw resolvingError('query_answer_invalid', `${name} returned a tick that is no text`);
  }
  const encoded = encode(params, 'query_answer_invalid', name);
  return { sql, params: encoded, ...(tick === undefined ? {} : { tick }) };
}

function awaited(name: string): Error {
  return resolvingError(
    'query_answer_invalid',
    `${name} returned rows in place of a query: its function is async, or awaits the builder. ` +
      'Return the builder itself from a function that is not async.',
  );
}

/** @throws SluiceError of that code, naming the number of a parameter and never its value */
export function encode(
  values: readonly unknown[],
  code: 'query_args_invalid' | 'query_answer_invalid',
  name: string,
): readonly PgText[] {
  try {
    return encodeParams(values);
  } catch (error) {
    throw error instanceof EncodeError ? resolvingError(code, `${name}: ${error.message}`) : error;
  }
}
