import { parseJson, setOwn, type JsonValue } from './json.js';
import type { DecoderKind, ScalarDecoderKind, Shape } from './shape.js';
import type { PgText, Row } from './value.js';

/**
 * From Postgres's text to JavaScript, without loss. The table is in docs/client.md:
 *
 *   boolean               boolean
 *   smallint, integer     number
 *   bigint                bigint
 *   real, double          number; NaN, Infinity, -Infinity and -0 among them
 *   json, jsonb           parsed; a number that no double carries is a `JsonNumber`
 *   bytea                 Uint8Array
 *   arrays of these       nested arrays; `lowerBounds` on one that does not start at 1
 *   everything else       the text: numeric, dates and times with their microseconds, uuid, enums, ranges, …
 */
export type Value = boolean | number | bigint | string | null | Uint8Array | JsonValue | readonly Value[];

export type Decoder = (text: string) => Value;

/** An array of Postgres whose indexes do not start at 1: `[0:1]={a,b}`. */
export interface BoundedArray extends ReadonlyArray<Value> {
  readonly lowerBounds?: readonly number[];
}

/**
 * @param type the column's type name, which tells the one array whose delimiter is not a comma (`box[]`).
 * The decoder throws a SyntaxError when the text is not of the kind: the server and the shape disagree.
 */
export function decoderFor(kind: DecoderKind, type = ''): Decoder {
  if (!kind.startsWith('array:')) return SCALARS[kind as ScalarDecoderKind];
  const element = SCALARS[kind.slice('array:'.length) as ScalarDecoderKind];
  const delimiter = type === 'box[]' ? ';' : ',';
  return (text) => new ArrayReader(text, element, delimiter).read();
}

/** `values: 'text'` gives every value as Postgres prints it. */
export type ValueMode = 'decoded' | 'text';

/** Makes the objects of a view's rows: plain, with own properties only. */
export function rowDecoder(shape: Shape, mode: ValueMode): (row: Row) => Record<string, Value> {
  const names = propertyNames(shape);
  const decoders = shape.columns.map((column) =>
    mode === 'text' ? asText : decoderFor(column.decoder, column.type),
  );
  return (row) => {
    const object: Record<string, Value> = {};
    for (let index = 0; index < names.length; index++) {
      const text: PgText = row[index] ?? null;
      const decode = decoders[index] ?? asText;
      setOwn(object, names[index] ?? '', text === null ? null : decode(text));
    }
    return object;
  };
}

/** One property for each column. A name that occurs again gets `_2`, `_3`, …: the first such that is free. */
export function propertyNames(shape: Shape): readonly string[] {
  const given = new Set(shape.columns.map((column) => column.name));
  const taken = new Set<string>();
  return shape.columns.map(({ name }) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) {
      const candidate = `${name}_${number}`;
      if (!given.has(candidate)) free = candidate;
    }
    taken.add(free);
    return free;
  });
}

const asText: Decoder = (text) => text;

const SCALARS: Readonly<Record<ScalarDecoderKind, Decoder>> = {
  boolean: (text) => (text === 't' ? true : text === 'f' ? false : malformed('boolean')),
  integer: (text) => (/^-?\d{1,10}$/.test(text) ? Number(text) : malformed('integer')),
  bigint: (text) => (/^-?\d{1,19}$/.test(text) ? BigInt(text) : malformed('bigint')),
  float: readFloat,
  json: parseJson,
  bytes: readBytes,
  text: asText,
};

function readFloat(text: string): number {
  const value = Number(text);
  return (Number.isNaN(value) && text !== 'NaN') || text === '' ? malformed('float') : value;
}

function readBytes(text: string): Uint8Array {
  if (!/^\\x(?:[0-9a-f]{2})*$/.test(text)) return malformed('bytea');
  const bytes = new Uint8Array((text.length - 2) / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(2 + 2 * index, 4 + 2 * index), 16);
  }
  return bytes;
}

function malformed(kind: string): never {
  throw new SyntaxError(`not a ${kind} of Postgres`);
}

/** Reads `{1,NULL,"a \"b\""}`, nested, with or without bounds (Postgres manual, "Array Input and Output Syntax"). */
class ArrayReader {
  readonly #text: string;
  readonly #element: Decoder;
  readonly #delimiter: string;
  #at = 0;

  constructor(text: string, element: Decoder, delimiter: string) {
    this.#text = text;
    this.#element = element;
    this.#delimiter = delimiter;
  }

  read(): BoundedArray {
    const bounds = /^((?:\[[+-]?\d+:[+-]?\d+\])+)=/.exec(this.#text);
    this.#at = bounds ? bounds[0].length : 0;
    const array = this.#array();
    if (this.#at !== this.#text.length) malformed('array');
    if (!bounds) return array;
    const lower = [...(bounds[1] ?? '').matchAll(/\[([+-]?\d+):/g)].map((match) => Number(match[1]));
    return Object.defineProperty(array, 'lowerBounds', { value: lower });
  }

  #array(): Value[] {
    const items: Value[] = [];
    if (this.#text[this.#at] !== '{') malformed('array');
    this.#at++;
    while (this.#text[this.#at] !== '}') {
      items.push(this.#item());
      const next = this.#text[this.#at];
      if (next === this.#delimiter) this.#at++;
      else if (next !== '}') malformed('array');
    }
    this.#at++;
    return items;
  }

  #item(): Value {
    const first = this.#text[this.#at];
    if (first === '{') return this.#array();
    if (first === '"') return this.#element(this.#quoted());
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#ends(this.#text[this.#at])) this.#at++;
    const bare = this.#text.slice(start, this.#at);
    return bare === 'NULL' ? null : this.#element(bare);
  }

  #ends(character: string | undefined): boolean {
    return character === this.#delimiter || character === '}';
  }

  #quoted(): string {
    let text = '';
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#text[this.#at] === '\\') this.#at++;
      if (this.#at >= this.#text.length) malformed('array');
      text += this.#text[this.#at];
    }
    this.#at++;
    return text;
  }
}
