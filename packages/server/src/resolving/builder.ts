import { resolvingError } from './errors.js';

/** What a builder says that it would send. */
export interface BuiltQuery {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** Recognised by what it can do, as no query builder is a dependency of ours. */
export function builderKind(value: unknown): 'drizzle' | 'kysely' | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('toSQL' in value && typeof value.toSQL === 'function') return 'drizzle';
  return 'compile' in value && typeof value.compile === 'function' ? 'kysely' : null;
}

/** @returns null when the value is no builder */
export function builtQuery(value: unknown, name: string): BuiltQuery | null {
  switch (builderKind(value)) {
    case 'drizzle':
      return read((value as { toSQL(): unknown }).toSQL(), 'params', name);
    case 'kysely':
      return read((value as { compile(): unknown }).compile(), 'parameters', name);
    case null:
      return null;
  }
}

function read(built: unknown, parameters: string, name: string): BuiltQuery {
  if (typeof built === 'object' && built !== null && 'sql' in built && typeof built.sql === 'string') {
    const params: unknown = Reflect.get(built, parameters);
    if (Array.isArray(params)) return { sql: built.sql, params };
  }
  throw resolvingError('query_answer_invalid', `${name} returned a builder of an unknown kind`);
}
