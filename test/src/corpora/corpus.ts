/** A query text, with the lists of parameters that it is subscribed to with. */
export type CorpusQuery = string | readonly [string, ...(readonly unknown[])[]];

/** A data model that many know, with what people ask of it. */
export interface Corpus {
  readonly schema: string;
  /** Statements that make the first rows, the same ones every time. */
  readonly rows: readonly string[];
  /** Each has an order that leaves nothing open, or none at all. */
  readonly queries: readonly CorpusQuery[];
}

/** One query with one list of parameters. */
export interface Subscribed {
  readonly sql: string;
  readonly params: readonly unknown[];
}

export function subscriptionsOf(queries: readonly CorpusQuery[]): readonly Subscribed[] {
  return queries.flatMap((query) => {
    const [sql, ...lists] = typeof query === 'string' ? [query] : query;
    return (lists.length === 0 ? [[]] : lists).map((params) => ({ sql, params }));
  });
}
