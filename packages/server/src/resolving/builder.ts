import type { BuiltQuery, Fail } from './built-query.js';
import { drizzleQuery, isDrizzle } from './drizzle.js';
import { isKysely, kyselyQuery } from './kysely.js';

/** Recognised by what they are made of, as no query builder is a dependency of ours. */
export function isBuilder(value: unknown): boolean {
  return isDrizzle(value) || isKysely(value);
}

/** @returns null when the value is no builder. @throws what `fail` throws */
export function builtQuery(value: unknown, fail: Fail): BuiltQuery | null {
  if (isDrizzle(value)) return drizzleQuery(value, fail);
  return isKysely(value) ? kyselyQuery(value, fail) : null;
}
