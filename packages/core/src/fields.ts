import { arrayDecoder, decoderFor, malformed, type Decoder, type Value } from './decode.js';
import { JsonNumber, parseJson, setOwn, type JsonValue } from './json.js';
import type { Fields, FieldKind, Shape, ValueShape } from './shape.js';
import type { Row } from './value.js';

/*
 * From rows to what a query builder promises, by description alone: no builder is needed where rows are read.
 *
 *   columns  id   name  author_id  author_name      posts
 *   row      "1"  "x"   null       null             "[[7,\"2024-02-29T12:00:00\"]]"
 *   path     id   name  author.id  author.name      posts
 *   value    number text number    text             list of tuple (id number, at date)
 *   absent                 author, when author_id is
 *   object   { id: 1, name: 'x', author: null, posts: [{ id: 7, at: Date }] }
 */
export function fieldsDecoder(shape: Shape, fields: Fields): (row: Row) => Record<string, Value> {
  const columns = fields.columns.map(({ path, value }, index) => ({
    path,
    read: fromText(value, shape.columns[index]?.type ?? ''),
  }));
  const absent = fields.absent ?? [];
  return (row) => {
    const object: Record<string, Value> = {};
    for (const [index, { path, read }] of columns.entries()) {
      const text = row[index] ?? null;
      place(object, path, text === null ? null : read(text));
    }
    for (const { path, columns: of } of absent) {
      if (of.every((index) => (row[index] ?? null) === null)) place(object, path, null);
    }
    return object;
  };
}

function place(object: Record<string, Value>, path: readonly string[], value: Value): void {
  let node = object;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(node, name)) setOwn<Value>(node, name, {});
    node = node[name] as Record<string, Value>;
  }
  setOwn(node, path.at(-1) ?? '', value);
}

function fromText(shape: ValueShape, type: string): Decoder {
  if (typeof shape === 'string') return KINDS[shape as FieldKind] ?? decoderFor(shape as never, type);
  if ('array' in shape) return arrayDecoder(fromText(shape.array, ''), type);
  if ('numbers' in shape) return (text) => named(shape.numbers, readNumbers(text));
  const read = fromJson(shape);
  return (text) => read(parseJson(text));
}

/** A value that stands in JSON, where Postgres has turned it into JSON's own kinds. */
function fromJson(shape: ValueShape): (value: JsonValue) => Value {
  const read = jsonReader(shape);
  return (value) => (value === null ? null : read(value));
}

function jsonReader(shape: ValueShape): (value: JsonValue) => Value {
  if (shape === 'plain') return plain;
  if (shape === 'json') return (value) => value;
  if (typeof shape === 'object') {
    if ('array' in shape) return arrayReader(fromJson(shape.array));
    if ('list' in shape) {
      const read = fromJson(shape.list);
      return (value) => items(value).map(read);
    }
    if ('tuple' in shape) {
      const names = shape.tuple.map(([name]) => name);
      const reads = shape.tuple.map(([, value]) => fromJson(value));
      return (value) =>
        named(
          names,
          reads.map((read, index) => read(items(value)[index] ?? null)),
        );
    }
  }
  const read = fromText(shape, '');
  return (value) => {
    if (typeof value === 'boolean') return value;
    return read(Object.is(value, -0) ? '-0' : String(value));
  };
}

/** Nested as deep as it is, as in Postgres. */
function arrayReader(read: (value: JsonValue) => Value): (value: JsonValue) => Value {
  return (value) => items(value).map((item) => (Array.isArray(item) ? arrayReader(read)(item) : read(item)));
}

function items(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : malformed('list');
}

function named(names: readonly string[], values: readonly Value[]): Value {
  const object: Record<string, Value> = {};
  for (const [index, name] of names.entries()) setOwn(object, name, values[index] ?? null);
  return object;
}

const KINDS: Readonly<Record<FieldKind, Decoder>> = {
  number: Number,
  whole: (text) => Number.parseInt(text, 10),
  string: (text) => String(Number(text)),
  date: readDate,
  plain: (text) => JSON.parse(text) as Value,
  numbers: readNumbers,
};

function readNumbers(text: string): readonly number[] {
  return (text.match(/[^\s,()[\]{}<>]+/g) ?? []).map(Number);
}

/** Numbers as JavaScript has them, in a value that is nobody else's yet. */
function plain(value: JsonValue): Value {
  if (value instanceof JsonNumber) return Number(value.text);
  if (typeof value === 'object' && value !== null) {
    const members = value as Record<string, JsonValue>;
    for (const name of Object.keys(members)) {
      setOwn<Value>(members as Record<string, Value>, name, plain(members[name] ?? null));
    }
  }
  return value;
}

const DATE =
  /^(\d{4,})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?( BC)?$/;

/** As Postgres prints dates and timestamps, in text and in JSON. Milliseconds are cut, as engines do; infinity is no time. */
function readDate(text: string): Date {
  const match = DATE.exec(text);
  if (match === null) return /^-?infinity$/.test(text) ? new Date(Number.NaN) : malformed('date');
  const [, year, month, day, hour, minute, second, fraction = '', sign, ...rest] = match;
  const [offsetHour, offsetMinute, offsetSecond, bc] = rest;
  const date = new Date(0);
  date.setUTCFullYear(bc ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day));
  const at = (hours?: string, minutes?: string, seconds?: string): number =>
    (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0);
  const offset = at(offsetHour, offsetMinute, offsetSecond) * (sign === '-' ? -1 : 1);
  const seconds = at(hour, minute, second) - offset;
  return new Date(date.getTime() + seconds * 1000 + Number(`${fraction}000`.slice(0, 3)));
}
