import type { Family } from './registry.js';

/** Each family of functions is a module of its own, so that a bundle splits at them and a page loads what its plans name. */
const LOADERS = {
  boolean: async (): Promise<Family> => (await import('./boolean.js')).BOOLEAN,
  integer: async (): Promise<Family> => (await import('./integer.js')).INTEGER,
  numeric: async (): Promise<Family> => (await import('./numeric.js')).NUMERIC,
  float: async (): Promise<Family> => (await import('./float.js')).FLOAT,
  text: async (): Promise<Family> => (await import('./text.js')).TEXT,
  'date-time': async (): Promise<Family> => (await import('./date-time.js')).DATE_TIME,
  'date-fields': async (): Promise<Family> => (await import('./date-fields.js')).DATE_FIELDS,
  'to-char': async (): Promise<Family> => (await import('./to-char.js')).TO_CHAR,
  interval: async (): Promise<Family> => (await import('./interval.js')).INTERVAL,
  uuid: async (): Promise<Family> => (await import('./small-types.js')).UUID,
  bytea: async (): Promise<Family> => (await import('./small-types.js')).BYTEA,
  enum: async (): Promise<Family> => (await import('./small-types.js')).ENUM,
  array: async (): Promise<Family> => (await import('./array.js')).ARRAY,
  json: async (): Promise<Family> => (await import('./json.js')).JSON_FUNCTIONS,
  'json-build': async (): Promise<Family> => (await import('./json-build.js')).JSON_BUILD,
  jsonb: async (): Promise<Family> => (await import('./jsonb.js')).JSONB,
  range: async (): Promise<Family> => (await import('./range.js')).RANGE,
  network: async (): Promise<Family> => (await import('./network.js')).NETWORK,
};

export type FamilyName = keyof typeof LOADERS;

/** The functions of some families, for `compileExpression`. */
export async function loadFunctions(names: readonly FamilyName[]): Promise<Family> {
  const families: Family[] = await Promise.all(names.map((name) => LOADERS[name]()));
  return Object.assign({}, ...families);
}
