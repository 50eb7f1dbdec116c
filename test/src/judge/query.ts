/** A query that the judge watches, and what it must know to compare its answers. */
export interface JudgeQuery {
  /** Unique among all workloads; appears in verdicts. */
  readonly id: string;
  readonly sql: string;
  /**
   * What changes may change the answer: tables, a partitioned table by the name of its root, and views and functions
   * that the run replaces.
   */
  readonly reads: readonly string[];
  /** The query orders totally: rows are compared as a sequence, else as a multiset. */
  readonly ordered: boolean;
  /** The gear that it is written to exercise; the run reports which it was given. */
  readonly gear: 'incremental' | 'rerun';
  /** The query reads the clock: how time moves for it, and where its answer may change while no row does. */
  readonly clock?: ClockQuery;
  /** It is asked by its id, as a query of the application, which alone may call the application's functions. */
  readonly named?: boolean;
  /** Codes with which it ends when the schema no longer has what it names; then it is asked again until it has. */
  readonly endsWith?: readonly string[];
  /** One value for each parameter, drawn from a small set, so that clients share bindings. */
  readonly params?: (random: Draw) => readonly (string | null)[];
}

/** `now()` and `current_date` in its text, spelt so, and nothing else, are the clock. */
export interface ClockQuery {
  readonly tick: string;
  readonly tickMs: number;
  /** SQL for one column of instants: between two neighbours of them the answer is the same. */
  readonly breaks: string;
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
