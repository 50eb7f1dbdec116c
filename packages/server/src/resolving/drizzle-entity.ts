/*
 * Drizzle's objects, recognised without Drizzle: every class of it carries its name under a symbol that all copies of
 * the library share, and what belongs to a table lies under such symbols too.
 */

const ENTITY_KIND = Symbol.for('drizzle:entityKind');

type Members = Readonly<Record<PropertyKey, unknown>>;

/** Names of the classes of a value, the nearest first. */
export function* entityKinds(value: unknown): Generator<string> {
  for (const of of classesOf(value)) {
    const kind = classKind(of);
    if (kind !== null) yield kind;
  }
}

/** The name that a class of Drizzle itself carries; what is derived from it has none. */
export function classKind(of: object): string | null {
  const kind: unknown = Object.hasOwn(of, ENTITY_KIND) ? Reflect.get(of, ENTITY_KIND) : null;
  return typeof kind === 'string' ? kind : null;
}

/** The class of a value, and what it extends. */
export function* classesOf(value: unknown): Generator<new (...args: readonly unknown[]) => unknown> {
  const prototype: unknown = isObject(value) ? Object.getPrototypeOf(value) : null;
  let of: unknown = isObject(prototype) ? prototype['constructor'] : null;
  while (typeof of === 'function' && of !== Function.prototype) {
    yield of as new (...args: readonly unknown[]) => unknown;
    of = Object.getPrototypeOf(of);
  }
}

/** The name of a value's own class; null when that is none of Drizzle's. */
export function entityKind(value: unknown): string | null {
  for (const of of classesOf(value)) return classKind(of);
  return null;
}

export function isEntity(value: unknown, kind: string): boolean {
  for (const own of entityKinds(value)) if (own === kind) return true;
  return false;
}

/** The alias, or the name. */
export function tableName(table: unknown): unknown {
  return get(table, Symbol.for('drizzle:Name'));
}

export function tableColumns(table: unknown): Members {
  const columns = get(table, Symbol.for('drizzle:Columns'));
  return isObject(columns) ? columns : {};
}

export function get(value: unknown, ...path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const name of path) at = isObject(at) ? at[name] : undefined;
  return at;
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}
