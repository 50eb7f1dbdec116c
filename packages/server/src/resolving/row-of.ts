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
  ? ElementOf<Awaited<B>>
  : B extends { compile(): unknown; execute(): Promise<infer Rows> }
    ? ElementOf<Rows>
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
