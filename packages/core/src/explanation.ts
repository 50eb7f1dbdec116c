/** How a query is kept live, and what it has cost: what `explain` answers. Plain data, in words where there are words. */
export interface Explanation {
  readonly gear: 'incremental' | 'rerun';
  /** Why it is re-run. */
  readonly reason: string | null;
  /** What would make it incremental, where something would. */
  readonly remedy: string | null;
  readonly template: string;
  /** The type of each parameter, as Postgres prints it. */
  readonly parameters: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Tables whose changes may change the answer. */
  readonly reads: readonly string[];
  /** Re-run at every transaction, because something could not be looked into. */
  readonly readsAnything: boolean;
  readonly readsClock: boolean;
  /** The columns that tell rows apart; null: rows are told apart by all of their bytes. */
  readonly key: readonly string[] | null;
  readonly ordered: boolean;
  /** What would help: an index, a replica identity. */
  readonly hints: readonly string[];
  /** What the plan needs of the engine beyond its kernel, by name; empty where it is re-run. */
  readonly chunks: readonly string[];
  /** How the rows of its tables are found; empty where it is re-run. */
  readonly lookups: readonly Lookup[];
  /** The plan as lines of a tree, what is done last first; where it is re-run, its SQL. */
  readonly tree: readonly string[];
  /** What it may come to, before anything is open; null where Postgres does not say: see `Estimate`. */
  readonly estimate: Estimate | null;
  /** What the server has done for it; null where no server was asked, or none of its clients has it open. */
  readonly observed: Observed | null;
}

/**
 * What Postgres expects by its statistics, for parameters of which nothing is known. No count: it may be wrong by any
 * factor where tables were not analysed, or values are not alike. A query with parameters has one from Postgres 16 on.
 */
export interface Estimate {
  /** Of the answer, and the bytes of their values. */
  readonly rows: number;
  readonly bytes: number;
  /** What one view would hold for it, as `Observed` counts it for all that are open. */
  readonly heldRows: number;
  readonly heldBytes: number;
}

/** How rows of a table are found: by the columns that must equal a value; by none, all of it is read. */
export interface Lookup {
  readonly table: string;
  readonly columns: readonly string[];
  /** The index that finds them; null where Postgres has to read the whole table. */
  readonly index: string | null;
}

/** What the open views of a query's template have done, for whatever arguments and clients, since its first was opened. */
export interface Observed {
  /** Views that are open or kept: one for each set of arguments, and of claims where it matters. */
  readonly views: number;
  /** Of these, those that are run again. */
  readonly rerunViews: number;
  /** Why they are, when the plan says otherwise: they were handed over while they were open. */
  readonly handedOver: string | null;
  /** Changes of the tables that it reads. */
  readonly changes: number;
  /** Transactions that these were in, and the time to bring the incremental views up to each. */
  readonly transactions: Timing;
  /** Views that lacked a row, and were hydrated anew. */
  readonly misses: number;
  /** Of these, those for want of values that Postgres does not send: by table, with what would mend it. */
  readonly unsent: readonly Unsent[];
  /** Reads at a snapshot that filled incremental views. */
  readonly hydrations: Timing;
  /** Times that the query was run again; one time may serve many views. */
  readonly reruns: Timing;
  /** Rows that the views hold now: base rows, or where they are run again those of the answers. */
  readonly heldRows: number;
  /** What they take in memory with their indexes and the answers, by estimate. */
  readonly heldBytes: number;
  /** Rows and operations on rows that were told, each once however many clients hold the view; and their bytes. */
  readonly toldRows: number;
  readonly toldBytes: number;
}

/** Long values that an update left as they are, under a replica identity that is not FULL. */
export interface Unsent {
  readonly table: string;
  readonly misses: number;
  readonly remedy: string;
}

export interface Timing {
  readonly count: number;
  readonly totalMs: number;
  /** 95 of 100 took at most this long, to within a fifth; null while there is none. */
  readonly p95Ms: number | null;
}
