import { parseJson, type JsonValue } from './json.js';
import type { DecoderKind, ScalarDecoderKind } from './shape.js';

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
export type Value =
  | boolean
  | number
  | bigint
  | string
  | null
  | Uint8Array
  | Date
  | JsonValue
  | readonly Value[]
  | { readonly [name: string]: Value };

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
  return arrayDecoder(element, type);
}

/** @param type as for `decoderFor` */
export function arrayDecoder(element: Decoder, type: string): Decoder {
  const delimiter = type === 'box[]' ? ';' : ',';
  return (text) => new ArrayReader(text, element, delimiter).read();
}

export const asText: Decoder = (text) => text;

const SCALARS: Readonly<Record<ScalarDecoderKind, Decoder>> = {
  boolean: (text) => (text === 't' ? true : text === 'f' ? false : malformed('boolean')),
  integer: (text) => (/^-?\d{1,10}$/.test(text) ? Number(text) : malformed('integer')),
  bigint: (text) => (/^-?\d+$/.test(text) ? BigInt(text) : malformed('bigint')),
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

export function malformed(kind: string): never {
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
