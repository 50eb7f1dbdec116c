import type { RowField, ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { parseArray } from './array-value.js';
import { INVALID_PARAMETER, notReproduced, raise } from './errors.js';
import { printString } from './json-string.js';
import { loose, stable, typed, type Family } from './registry.js';
import { parseRow } from './row-text.js';

/**
 * Values of any type as JSON: `to_json`, `json_build_object` and their kind. Numbers and booleans stand for
 * themselves, dates become ISO 8601, what has no word in JSON becomes a string.
 */
type Writer = (value: string) => string;

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** As `json`, which keeps the text of what is JSON already. */
export function writerOf(type: ValueType | undefined): Writer {
  switch (type?.kind) {
    case undefined:
    case 'opaque':
    case 'range':
    case 'multirange':
      return notReproduced('JSON of this type');
    case 'bool':
      return (value) => (value === 't' ? 'true' : 'false');
    case 'int':
    case 'numeric':
    case 'float':
      return (value) => (NUMBER.test(value) ? value : printString(value));
    case 'date':
      return printString;
    case 'timestamp':
    case 'timestamptz':
      return (value) => printString(isoTime(value));
    case 'json':
    case 'jsonb':
      return (value) => value;
    case 'array': {
      const write = writerOf(type.element);
      return (value) => writeArray(value, write);
    }
    case 'row':
      return rowWriter(type.fields);
    default:
      return printString;
  }
}

function rowWriter(fields: readonly RowField[]): Writer {
  const writers = fields.map(({ name, type }) => [printString(name), orNull(writerOf(type))] as const);
  return (value) => {
    const values = parseRow(value);
    return `{${writers.map(([name, write], at) => `${name}:${write(values[at] ?? null)}`).join(',')}}`;
  };
}

function isoTime(value: string): string {
  return value.includes('infinity') ? value : value.replace(' ', 'T').replace('+00', '+00:00');
}

function writeArray(text: string, write: Writer): string {
  const { lengths, elements } = parseArray(text);
  const texts = elements.map((element) => (element === null ? 'null' : write(element)));
  if (lengths.length === 0) return '[]';
  return lengths
    .slice(1)
    .toReversed()
    .reduce((parts, length) => grouped(parts, length), texts)
    .join(',')
    .replace(/^/, '[')
    .concat(']');
}

function grouped(parts: readonly string[], length: number): string[] {
  return Array.from(
    { length: parts.length / length },
    (_group, index) => `[${parts.slice(index * length, (index + 1) * length).join(',')}]`,
  );
}

/** A member's name: a scalar that is not null. */
export function nameWriter(type: ValueType | undefined): (value: PgText) => string {
  const write = writerOf(type);
  const isScalar = !['array', 'row', 'json', 'jsonb'].includes(type?.kind ?? '');
  return (value) => {
    if (value === null || !isScalar) return notReproduced('this name of a member');
    const text = write(value);
    return text.startsWith('"') ? text : printString(text);
  };
}

const orNull = (write: Writer) => (value: PgText) => (value === null ? 'null' : write(value));
export function pairs(
  types: readonly ValueType[],
): readonly (readonly [ValueType | undefined, ValueType | undefined])[] {
  if (types.length % 2 === 1) raise(INVALID_PARAMETER);
  return Array.from({ length: types.length / 2 }, (_pair, index) => [types[index * 2], types[index * 2 + 1]]);
}

function buildObject(types: readonly ValueType[]): (...args: PgText[]) => string {
  const writers = pairs(types).map(([name, value]) => [nameWriter(name), orNull(writerOf(value))] as const);
  return (...args) => {
    const members = writers.map(
      ([name, value], index) => `${name(args[index * 2] ?? null)} : ${value(args[index * 2 + 1] ?? null)}`,
    );
    return `{${members.join(', ')}}`;
  };
}

function buildArray(types: readonly ValueType[]): (...args: PgText[]) => string {
  const writers = types.map((type) => orNull(writerOf(type)));
  return (...args) => `[${writers.map((write, index) => write(args[index] ?? null)).join(', ')}]`;
}

function arrayToJson([type]: readonly ValueType[]): Writer {
  return type?.kind === 'array' ? writerOf(type) : notReproduced('JSON of this type');
}

export const FUNCTIONS: Family = stable({
  ...typed('json', {
    to_json: ([type]) => writerOf(type),
    array_to_json: arrayToJson,
    row_to_json: ([type]) => (type?.kind === 'row' ? writerOf(type) : notReproduced('JSON of this row')),
  }),
  ...loose('json', {
    json_build_object: buildObject,
    json_build_array: buildArray,
  }),
});
