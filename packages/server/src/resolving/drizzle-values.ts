import type { ValueShape } from '@sluice/core/shape';
import { driverValue } from './driver-values.js';
import { classesOf, classKind, entityKind, get, isEntity } from './drizzle-entity.js';
import type { ValuePlan } from './field-plan.js';

/** What columns make of a value, by their class: `mapFromDriverValue` of drizzle-orm/pg-core/columns. */
const COLUMNS: Readonly<Record<string, ValueShape>> = {
  PgBoolean: 'boolean',
  PgSmallInt: 'number',
  PgInteger: 'number',
  PgSerial: 'number',
  PgSmallSerial: 'number',
  PgBigInt53: 'number',
  PgBigSerial53: 'number',
  PgBigInt64: 'bigint',
  PgBigSerial64: 'bigint',
  PgNumeric: 'text',
  PgNumericNumber: 'number',
  PgNumericBigInt: 'bigint',
  PgReal: 'number',
  PgDoublePrecision: 'number',
  PgText: 'text',
  PgVarchar: 'text',
  PgChar: 'text',
  PgUUID: 'text',
  PgEnumColumn: 'text',
  PgEnumObjectColumn: 'text',
  PgJson: 'plain',
  PgJsonb: 'plain',
  PgDate: 'date',
  PgDateString: 'text',
  PgTime: 'text',
  PgTimestamp: 'date',
  PgTimestampString: 'text',
  PgInterval: 'text',
  PgInet: 'text',
  PgCidr: 'text',
  PgMacaddr: 'text',
  PgMacaddr8: 'text',
  PgPointTuple: 'numbers',
  PgPointObject: { numbers: ['x', 'y'] },
  PgLine: 'numbers',
  PgLineABC: { numbers: ['a', 'b', 'c'] },
  PgVector: 'numbers',
  PgHalfVector: 'numbers',
  PgSparseVector: 'text',
  PgBinaryVector: 'text',
};

/** What a selected field gives: a column, `sql`, `sql.as(…)`, a subquery of one column. */
export function fieldValue(field: unknown): ValuePlan {
  const { column, decode } = decoderOf(field);
  return (described) => {
    const given = driverValue(described, 'text');
    if (column !== null) return columnShape(column, given);
    return decode === null ? given : converted(decode, given);
  };
}

/** The same in JSON, where Postgres has turned values into JSON's own kinds. */
export function jsonFieldValue(field: unknown): ValueShape | null {
  const { column, decode } = decoderOf(field);
  if (column !== null) return columnShape(column, 'plain');
  if (decode === null) return 'plain';
  return decode === Number ? 'number' : decode === String ? 'text' : decode === BigInt ? 'bigint' : null;
}

interface FieldDecoder {
  /** The column that maps the value; or else */
  readonly column: unknown;
  /** what `mapWith` was given; null when it was given nothing. */
  readonly decode: unknown;
}

function decoderOf(field: unknown): FieldDecoder {
  if (isEntity(field, 'Column')) return { column: field, decode: null };
  const sql = sqlOf(field);
  const decoder = get(sql, 'decoder');
  if (isEntity(decoder, 'Column')) return { column: decoder, decode: null };
  const decode = get(decoder, 'mapFromDriverValue');
  return { column: null, decode: decode === withoutDecoder(sql) ? null : decode };
}

function sqlOf(field: unknown): unknown {
  if (isEntity(field, 'SQL')) return field;
  return isEntity(field, 'Subquery') ? get(field, '_', 'sql') : get(field, 'sql');
}

/** What `sql` has for a decoder before `mapWith`: that of a new one of the same library. */
function withoutDecoder(sql: unknown): unknown {
  for (const of of classesOf(sql)) {
    if (classKind(of) === 'SQL') {
      return get(new of([]), 'decoder', 'mapFromDriverValue');
    }
  }
  return undefined;
}

/** @param otherwise what it is when the column leaves values as they come */
function columnShape(column: unknown, otherwise: ValueShape | null): ValueShape | null {
  if (isEntity(column, 'PgArray')) {
    const base = get(column, 'baseColumn');
    const element = columnShape(base, null);
    return element === null || isEntity(base, 'PgArray') ? element : { array: element };
  }
  if (isEntity(column, 'PgCustomColumn')) {
    return typeof get(column, 'mapFrom') === 'function' ? null : otherwise;
  }
  // A class that somebody has derived from one of Drizzle's may map otherwise.
  return COLUMNS[entityKind(column) ?? ''] ?? null;
}

/** `mapWith(Number)` and the like, of what the driver gives. */
function converted(decode: unknown, given: ValueShape | null): ValueShape | null {
  const numeric = given === 'integer' || given === 'float' || given === 'text';
  if (decode === Number) return numeric ? 'number' : null;
  if (decode === String) return given === 'float' ? 'string' : numeric ? 'text' : null;
  if (decode === BigInt) return given === 'integer' || given === 'text' ? 'bigint' : null;
  return decode === Boolean && given === 'boolean' ? 'boolean' : null;
}
