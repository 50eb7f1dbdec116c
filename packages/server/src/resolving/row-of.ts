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

/** A value as it arrives: bytes are `Uint8Array`, whatever class the driver has for them. All else is what it is. */
type Carried<V> = true extends HasBytes<V> ? CarriedBytes<V> : V;

type CarriedBytes<V> = V extends Uint8Array
  ? Uint8Array
  : V extends object
    ? { [N in keyof V]: Carried<V[N]> }
    : V;

/** Whether there are bytes in it: types of JSON may contain themselves, hence the depth. */
type HasBytes<V, Depth extends readonly 0[] = []> = Depth['length'] extends 8
  ? false
  : 0 extends 1 & V
    ? false
    : V extends Uint8Array
      ? true
      : V extends Date
        ? false
        : V extends readonly (infer Item)[]
          ? HasBytes<Item, [...Depth, 0]>
          : V extends object
            ? { [N in keyof V]: HasBytes<V[N], [...Depth, 0]> }[keyof V]
            : false;
