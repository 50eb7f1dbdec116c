/** One column of a result. */
export interface ShapeColumn {
  readonly name: string;
  /** Type name as `format_type` prints it without modifiers: `integer`, `text[]`, `issue_status`. */
  readonly type: string;
  /** The decoder that turns the text into a JavaScript value; see `decode.ts`. */
  readonly decoder: DecoderKind;
}

/**
 * How the client turns Postgres's text into a JavaScript value.
 * `text` is what everything without a lossless JavaScript counterpart is.
 */
export type DecoderKind =
  | 'boolean'
  | 'integer' // int2, int4, oid -> number
  | 'bigint' // int8 -> bigint
  | 'float' // float4, float8 -> number
  | 'json' // json, jsonb -> parsed, numbers beyond double precision kept as text
  | 'bytes' // bytea -> Uint8Array
  | 'text'
  | `array:${ScalarDecoderKind}`;

export type ScalarDecoderKind = 'boolean' | 'integer' | 'bigint' | 'float' | 'json' | 'bytes' | 'text';

/** What the rows of a view look like: sent once, with `subscribed`. */
export interface Shape {
  readonly columns: readonly ShapeColumn[];
  /** Whether the order of the rows is part of the answer. */
  readonly ordered: boolean;
  /** How the rows become what a query builder promises. Of one subscription: others share the view without it. */
  readonly fields?: Fields;
}

/** How the columns of a row become an object; see `fields.ts`. */
export interface Fields {
  /** For each column of the row, in order: where its value stands in the object, and how its text becomes the value. */
  readonly columns: readonly Field[];
  /** Objects that are null when all of these columns (by number) are: what an outer join did not find. */
  readonly absent?: readonly Absent[];
}

export interface Field {
  readonly path: readonly string[];
  readonly value: ValueShape;
}

export interface Absent {
  readonly path: readonly string[];
  readonly columns: readonly number[];
}

/** NULL is null everywhere. */
export type ValueShape =
  | DecoderKind
  | FieldKind
  /** An array of Postgres, of as many dimensions as it has. */
  | { readonly array: ValueShape }
  /** Numbers in a text, `(1,2)`: as an object of these names. */
  | { readonly numbers: readonly string[] }
  /** A list in JSON. */
  | { readonly list: ValueShape }
  /** A list in JSON of known length: as an object of these names. */
  | { readonly tuple: readonly (readonly [name: string, value: ValueShape])[] };

/** What builders give beyond the default mapping. */
export type FieldKind =
  | 'number' // any number -> number, the nearest one
  | 'whole' // any number -> number, without what follows the point
  | 'string' // a number -> the text that JavaScript prints for it
  | 'date' // date, timestamp, timestamptz -> Date, in UTC where there is no zone
  | 'plain' // json, jsonb -> parsed, numbers as JavaScript has them
  | 'numbers'; // point, line, vector, … -> list of numbers
