import { EncodeError, encodeParams } from '@sluice/core/encode';
import type { PgText } from '@sluice/core/value';
import type { QueryAnswer, QueryCall, QueryDefinition, QueryText } from './config.js';
import { queryError } from './errors.js';

/** What a named query comes to for one caller. */
export interface NamedQuery {
  readonly sql: string;
  readonly params: readonly PgText[];
  readonly tick?: string;
}

/**
 * Resolves the queries of a configuration.
 * @returns null when there is none of that name
 * @throws SluiceError `query_args_invalid`, `query_answer_invalid`; or what the application's function throws
 */
export async function resolveNamed(
  queries: Readonly<Record<string, QueryDefinition>>,
  name: string,
  args: unknown,
  ctx: QueryCall['ctx'],
): Promise<NamedQuery | null> {
  const definition = Object.hasOwn(queries, name) ? queries[name] : undefined;
  if (definition === undefined) return null;
  if (typeof definition === 'function') return fromAnswer(await definition({ args, ctx }), name);
  return fromText(definition, args, name);
}

function fromText(definition: QueryText, args: unknown, name: string): NamedQuery {
  const values = definition.params === undefined ? asList(args, name) : byName(definition.params, args, name);
  const tick = definition.tick === undefined ? {} : { tick: definition.tick };
  return { sql: definition.sql, params: encode(values, 'query_args_invalid', name), ...tick };
}

function asList(args: unknown, name: string): readonly unknown[] {
  if (args === undefined || args === null) return [];
  if (!Array.isArray(args)) throw queryError('query_args_invalid', `${name} takes a list of arguments`);
  return args;
}

/** Strict in both directions: a misspelt argument is never a silent NULL. */
function byName(names: readonly string[], args: unknown, name: string): readonly unknown[] {
  const given = args ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw queryError('query_args_invalid', `${name} takes an object with ${names.join(', ')}`);
  }
  const missing = names.filter((key) => !Object.hasOwn(given, key));
  const extra = Object.keys(given).filter((key) => !names.includes(key));
  if (missing.length > 0) throw queryError('query_args_invalid', `${name} misses ${missing.join(', ')}`);
  if (extra.length > 0) throw queryError('query_args_invalid', `${name} knows only ${names.join(', ')}`);
  return names.map((key) => Reflect.get(given, key) as unknown);
}

/** An application's answer is checked like any other input. */
function fromAnswer(answer: QueryAnswer, name: string): NamedQuery {
  const given: Record<string, unknown> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const sql = given['sql'] ?? given['text'];
  const params = given['params'] ?? given['values'] ?? [];
  const tick = given['tick'];
  if (typeof sql !== 'string' || sql === '')
    throw queryError('query_answer_invalid', `${name} returned no SQL`);
  if (!Array.isArray(params))
    throw queryError('query_answer_invalid', `${name} returned params that are no list`);
  if (tick !== undefined && typeof tick !== 'string') {
    throw queryError('query_answer_invalid', `${name} returned a tick that is no text`);
  }
  const encoded = encode(params, 'query_answer_invalid', name);
  return { sql, params: encoded, ...(tick === undefined ? {} : { tick }) };
}

function encode(
  values: readonly unknown[],
  code: 'query_args_invalid' | 'query_answer_invalid',
  name: string,
): readonly PgText[] {
  try {
    return encodeParams(values);
  } catch (error) {
    throw error instanceof EncodeError ? queryError(code, `${name}: ${error.message}`) : error;
  }
}
