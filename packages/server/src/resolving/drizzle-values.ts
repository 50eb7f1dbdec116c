import type { ValueShape } from '@sluice/core/shape';
import { driverValue } from './driver-values.js';
import { classesOf, classKind, entityKind, get, isEntity } from './drizzle-entity.js';
import type { ValuePlan } from './field-plan.js';

/** What a class of columns makes of a value: `mapFromDriverValue` of drizzle-orm/pg-core/columns. */
interface Mapping {
  /** Of a text. */
  readonly text: ValueShape;
  /** Of what the driver has made something else of; left out: it stays as it is. Null: nothing that can travel. */
  readonly other?: ValueShape | null;
  /** Of a value in JSON; left out: as of a text. */
  readonly json?: ValueShape;
}

const SAME: Mapping = { text: 'text' };
const NUMBER: Mapping = { text: 'number', other: 'number' };
const FLOAT: Mapping = { text: 'number' };
const BIGINT: Mapping = { text: 'bigint', other: 'bigint' };
const PLAIN: Mapping = { text: 'plain' };
const DATE: Mapping = { text: 'date' };
const NUMBERS: Mapping = { text: 'numbers', other: null };
const named = (...numbers: readonly string[]): Mapping => ({ text: { numbers } });

const COLUMNS: Readonly<Record<string, Mapping>> = {
  PgBoolean: { text: 'text', json: 'boolean' },
  PgSmallInt: FLOAT,
  PgInteger: { text: 'whole', json: 'number' },
  PgSerial: { text: 'text', json: 'number' },
  PgSmallSerial: { text: 'text', json: 'number' },
  PgBigInt53: NUMBER,
  PgBigSerial53: NUMBER,
  PgBigInt64: BIGINT,
  PgBigSerial64: BIGINT,
  PgNumeric: { text: 'text', other: 'string' },
  PgNumericNumber: NUMBER,
  PgNumericBigInt: BIGINT,
  PgReal: FLOAT,
  PgDoublePrecision: FLOAT,
  PgText: SAME,
  PgVarchar: SAME,
  PgChar: SAME,
  PgUUID: SAME,
  PgEnumColumn: SAME,
  PgEnumObjectColumn: SAME,
  PgJson: PLAIN,
  PgJsonb: PLAIN,
  PgDate: DATE,
  PgDateString: SAME,
  PgTime: SAME,
  PgTimestamp: DATE,
  PgTimestampString: SAME,
  PgInterval: SAME,
  PgInet: SAME,
  PgCidr: SAME,
  PgMacaddr: SAME,
  PgMacaddr8: SAME,
  PgPointTuple: { text: 'numbers', other: 'numbers' },
  PgPointObject: named('x', 'y'),
  PgLine: NUMBERS,
  PgLineABC: { ...named('a', 'b', 'c'), other: null },
  PgVector: NUMBERS,
  PgHalfVector: NUMBERS,
  PgSparseVector: SAME,
  PgBinaryVector: SAME,
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
  if (column !== null) return columnShape(column, null);
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

/** The kinds of which a number can be made. */
const NUMERIC: readonly unknown[] = ['integer', 'float', 'text'];
const POINT = ['x', 'y'];

/** @param given what the driver gives, or null for a value in JSON */
function columnShape(column: unknown, given: ValueShape | null): ValueShape | null {
  if (isEntity(column, 'PgArray')) return arrayShape(get(column, 'baseColumn'), given);
  if (isEntity(column, 'PgCustomColumn')) {
    if (typeof get(column, 'mapFrom') === 'function') return null;
    // In JSON, bytes are a text: Drizzle leaves it so, although the column's type says bytes.
    return given ?? (get(column, 'sqlName') === 'bytea' ? 'bytes' : 'plain');
  }
  // A class that somebody has derived from one of Drizzle's may map otherwise.
  const mapping = COLUMNS[entityKind(column) ?? ''];
  if (mapping === undefined) return null;
  if (given === null) return mapping.json ?? mapping.text;
  if (given === 'text') return mapping.text;
  const { other = given } = mapping;
  return other === given || suits(other, given) ? other : null;
}

/** What the driver leaves as a text is read by Drizzle itself. */
function arrayShape(base: unknown, given: ValueShape | null): ValueShape | null {
  if (isEntity(base, 'PgArray')) return columnShape(base, given);
  const items = typeof given === 'object' && given !== null && 'array' in given ? given.array : given;
  if (given !== null && given !== 'text' && items === given) return null;
  const element = columnShape(base, items);
  return element === null ? null : { array: element };
}

/** Whether what the driver has made of a value can be described as made into that. */
function suits(made: ValueShape | null, given: ValueShape): boolean {
  if (made !== 'numbers') return made !== null && NUMERIC.includes(given);
  return typeof given === 'object' && 'numbers' in given && String(given.numbers) === String(POINT);
}

/** `mapWith(Number)` and the like, of what the driver gives. */
function converted(decode: unknown, given: ValueShape | null): ValueShape | null {
  const numeric = NUMERIC.includes(given);
  if (decode === Number) return numeric ? 'number' : null;
  if (decode === String) return given === 'float' ? 'string' : numeric ? 'text' : null;
  if (decode === BigInt) return given === 'integer' || given === 'text' ? 'bigint' : null;
  return decode === Boolean && given === 'boolean' ? 'boolean' : null;
}
