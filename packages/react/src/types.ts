import type { AnyRow, Phase, QueryRef, SqlRef } from '@sluice/client';

/** A query: `queries.name(args)`, or SQL where the server allows it. */
export type Ref<Row> = QueryRef<Row> | SqlRef;

/** In a query's place: nothing is asked for, and nothing held. */
export type Skip = null | undefined | false | 'skip';

export function isSkip(ref: Ref<unknown> | Skip): ref is Skip {
  return typeof ref !== 'object' || ref === null;
}

type WithError<P> = P extends { readonly error: unknown } ? P : P & { readonly error: null };

/** A live view's status with what belongs to it, and an `error` that is null while there is none. */
export type Standing = WithError<Phase>;

/** What a live query shows: tell the cases apart by `status`. The same object until something changes. */
export type LiveResult<Row = AnyRow> = Standing & {
  /** In the query's order. The same array until a row changes; the same object for an unchanged row. */
  readonly rows: readonly Row[];
};

/** What a query shows that is skipped. */
export interface Skipped {
  readonly status: 'skipped';
  readonly error: null;
  readonly rows: readonly never[];
}
