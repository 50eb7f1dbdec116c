import type { QueryDefinition, QueryText } from '../config/config.js';
import type { Ctx } from '../config/named-query.js';
import { encode, readAnswer, type Resolved } from './answer.js';
import { validArgs } from './arguments.js';
import { resolvingError } from './errors.js';

/**
 * Resolves the queries of a configuration.
 * @returns null when there is none of that name
 * @throws SluiceError `query_args_invalid`, `query_answer_invalid`; or what the application's function throws
 */
export async function resolveNamed(
  queries: Readonly<Record<string, QueryDefinition>>,
  name: string,
  args: unknown,
  ctx: Ctx,
): Promise<Resolved | null> {
  const definition = Object.hasOwn(queries, name) ? queries[name] : undefined;
  if (definition === undefined) return null;
  if (typeof definition === 'function') return readAnswer(definition({ args, ctx }), name);
  if ('sql' in definition) return fromText(definition, args, name);
  const valid = await validArgs(definition.args, args, name);
  const tick = definition.tick === undefined ? {} : { tick: definition.tick };
  return { ...tick, ...(await readAnswer(definition.answer({ args: valid, ctx }), name)) };
}

function fromText(definition: QueryText, args: unknown, name: string): Resolved {
  const values = definition.params === undefined ? asList(args, name) : byName(definition.params, args, name);
  const tick = definition.tick === undefined ? {} : { tick: definition.tick };
  const fail = (detail: string): never => {
    throw resolvingError('query_args_invalid', `${name}: ${detail}`);
  };
  return { sql: definition.sql, params: encode(values, fail), ...tick };
}

function asList(args: unknown, name: string): readonly unknown[] {
  if (args === undefined || args === null) return [];
  if (!Array.isArray(args)) throw resolvingError('query_args_invalid', `${name} takes a list of arguments`);
  return args;
}

/** Strict in both directions: a misspelt argument is never a silent NULL. */
function byName(names: readonly string[], args: unknown, name: string): readonly unknown[] {
  const given = args ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw resolvingError('query_args_invalid', `${name} takes an object with ${names.join(', ')}`);
  }
  const missing = names.filter((key) => !Object.hasOwn(given, key));
  const extra = Object.keys(given).filter((key) => !names.includes(key));
  if (missing.length > 0) throw resolvingError('query_args_invalid', `${name} misses ${missing.join(', ')}`);
  if (extra.length > 0) throw resolvingError('query_args_invalid', `${name} knows only ${names.join(', ')}`);
  return names.map((key) => Reflect.get(given, key) as unknown);
}
