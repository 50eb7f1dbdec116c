import { JsonNumber, printJson } from './json.js';
import type { PgText } from './value.js';

/**
 * What a parameter may be. Postgres reads each as the type that the query gives the parameter:
 * the table of what becomes what is in docs/client.md.
 */
export type ParamValue =
  | null
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | JsonNumber
  | JsonParam
  | readonly ParamValue[]
  | { readonly [name: string]: unknown }
  | { toJSON(): unknown };

/** Postgres has at most six dimensions. */
const DIMENSIONS_MAX = 6;

/** A value to be sent as JSON: needed for arrays and strings, which would otherwise be a Postgres array or text. */
export class JsonParam {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Marks a parameter as JSON: `json([1, 2])` is `[1,2]` where `[1, 2]` is the Postgres array `{1,2}`. */
export function json(value: unknown): JsonParam {
  return new JsonParam(value);
}

/** A value that is no parameter. Names the parameter's number and never its value. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}

/** JavaScript values as Postgres reads them. @throws EncodeError */
export function encodeParams(params: readonly unknown[]): readonly PgText[] {
  return params.map((value, index) => encode(value, `$${index + 1}`));
}

function encode(value: unknown, where: string): PgText {
  if (value === null) return null;
  if (Array.isArray(value)) return encodeArray(value, where);
  return encodeScalar(value, where);
}

function encodeScalar(value: unknown, where: string): string {
  switch (typeof value) {
    case 'string':
      return encodeText(value, where);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      if (value !== null) return encodeObject(value, where);
  }
  throw invalid(where, value === undefined ? 'it is undefined; null is NULL' : `it is a ${typeof value}`);
}

/** Postgres stores neither NUL nor half a surrogate pair. */
function encodeText(text: string, where: string): string {
  if (text.includes('\0')) throw invalid(where, 'text with a NUL character');
  if (/\p{Surrogate}/u.test(text)) throw invalid(where, 'text with half a surrogate pair');
  return text;
}

function encodeObject(value: object, where: string): string {
  if (value instanceof Date) return encodeDate(value, where);
  if (value instanceof Uint8Array) return encodeBytes(value);
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof JsonParam) return encodeJson(value.value, where);
  if (!isPlain(value) && 'toJSON' in value && typeof value.toJSON === 'function') {
    const plain: unknown = value.toJSON();
    return typeof plain === 'object' && plain !== null
      ? encodeJson(plain, where)
      : encodeScalar(plain, where);
  }
  return encodeJson(value, where);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function encodeJson(value: unknown, where: string): string {
  try {
    return encodeText(printJson(value), where);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw invalid(where, 'it is no JSON');
    throw error;
  }
}

/** ISO in UTC; years as Postgres writes them: five digits and more without a sign, before year 1 with BC. */
function encodeDate(date: Date, where: string): string {
  if (Number.isNaN(date.getTime())) throw invalid(where, 'an invalid Date');
  const year = date.getUTCFullYear();
  const iso = date.toISOString();
  const rest = iso.slice(iso.indexOf('-', 1));
  const digits = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return year > 0 ? digits + rest : `${digits}${rest} BC`;
}

function encodeBytes(bytes: Uint8Array): string {
  let text = '\\x';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** `{1,NULL,"a \"b\""}`; a decoded array's `lowerBounds` are written back. */
function encodeArray(array: readonly unknown[], where: string): string {
  const bounds = (array as { lowerBounds?: readonly number[] }).lowerBounds;
  const body = arrayBody(array, where, 1);
  if (!bounds) return body;
  let level: unknown = array;
  const ranges = bounds.map((low) => {
    const length = Array.isArray(level) ? level.length : 0;
    level = Array.isArray(level) ? level[0] : undefined;
    return `[${low}:${low + length - 1}]`;
  });
  return `${ranges.join('')}=${body}`;
}

function arrayBody(array: readonly unknown[], where: string, depth: number): string {
  if (depth > DIMENSIONS_MAX) throw invalid(where, `an array of more than ${DIMENSIONS_MAX} dimensions`);
  const items = Array.from(array, (item) => {
    if (item === null) return 'NULL';
    if (Array.isArray(item)) return arrayBody(item, where, depth + 1);
    return quoted(encodeScalar(item, where), item);
  });
  return `{${items.join(',')}}`;
}

function quoted(text: string, item: unknown): string {
  const bare = typeof item === 'number' || typeof item === 'bigint' || typeof item === 'boolean';
  return bare ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function invalid(where: string, why: string): EncodeError {
  return new EncodeError(`${where}: ${why}`);
}
