/** A row of which nothing is known but that it has columns. */
export interface AnyRow {
  readonly [column: string]: unknown;
}

/** SQL and the values of its parameters, with the type of its rows. See `rows`. */
export interface TypedAnswer<Row> {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly tick?: string;
  readonly '~row'?: Row;
}

/**
 * One row of what `await builder` gives: of a Drizzle or Kysely builder, of an answer of `rows`, of a promise of one.
 * What has no type of its own gives `AnyRow`.
 */
export type RowOf<B> = B extends { toSQL(): unknown }
  ? Carried<ElementOf<Awaited<B>>>
  : B extends { compile(): unknown; execute(): Promise<infer Rows> }
    ? Carried<ElementOf<Rows>>
    : B extends PromiseLike<infer Answer>
      ? RowOfAnswer<Answer>
      : RowOfAnswer<B>;

/** Many rows, or one that may not be there. */
type ElementOf<Rows> = Rows extends readonly (infer Row)[] ? Row : Exclude<Rows, null | undefined>;

type RowOfAnswer<Answer> = '~row' extends keyof Answer
  ? Answer extends { readonly '~row'?: infer Row }
    ? Exclude<Row, undefined>
    : never
  : Answer extends readonly unknown[]
    ? never // rows are no answer: the builder was awaited
    : AnyRow;

/** A row as it arrives: bytes are `Uint8Array`, whatever class the driver has for them. Other rows are what they are. */
type Carried<Row> = true extends HasBytes<Row> ? { [N in keyof Row]: CarriedValue<Row[N]> } : Row;

type CarriedValue<V> =
  true extends IsBytes<V>
    ? Uint8Array | Extract<V, null | undefined>
    : true extends HasBytes<NonNullable<V>>
      ? Carried<NonNullable<V>> | Extract<V, null | undefined>
      : V;

/** Of a row, or of an object in it that a join has made. */
type HasBytes<Row> = Row extends object
  ? { [N in keyof Row]: true extends IsBytes<Row[N]> ? true : HasOwnBytes<NonNullable<Row[N]>> }[keyof Row]
  : false;

type HasOwnBytes<V> = V extends readonly unknown[] | Date
  ? false
  : V extends object
    ? { [N in keyof V]: IsBytes<V[N]> }[keyof V]
    : false;

/** Neither `any` nor `never` is. */
type IsBytes<V> = 0 extends 1 & V
  ? false
  : [NonNullable<V>] extends [never]
    ? false
    : [NonNullable<V>] extends [Uint8Array]
      ? true
      : false;
