/** A query that the judge watches, and what it must know to compare its answers. */
export interface JudgeQuery {
  /** Unique among all workloads; appears in verdicts. */
  readonly id: string;
  readonly sql: string;
  /** Tables whose changes may change the answer; a partitioned table by the name of its root. */
  readonly reads: readonly string[];
  /** The query orders totally: rows are compared as a sequence, else as a multiset. */
  readonly ordered: boolean;
  /** The gear that it is written to exercise; the run reports which it was given. */
  readonly gear: 'incremental' | 'rerun';
  /** One value for each parameter, drawn from a small set, so that clients share bindings. */
  readonly params?: (random: Draw) => readonly (string | null)[];
}

/** What a query needs of the generator. */
export interface Draw {
  int(below: number): number;
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
  chance(probability: number): boolean;
}

/** A query with its parameters. */
export interface Bound {
  readonly query: JudgeQuery;
  readonly params: readonly (string | null)[];
  /** Names this query and binding. */
  readonly key: string;
}

export function bind(query: JudgeQuery, params: readonly (string | null)[]): Bound {
  return { query, params, key: `${query.id}${JSON.stringify(params)}` };
}
