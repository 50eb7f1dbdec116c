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
}
