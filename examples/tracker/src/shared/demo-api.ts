/** What the dock and the demo's routes say to each other. */
export interface DemoState {
  /** Of the process that serves Sluice. */
  readonly pid: number;
  readonly loadPerSecond: number;
  /** `psql` finds the database here; no password is in it. */
  readonly database: string;
}

export interface SqlAnswer {
  readonly command: string;
  readonly rowCount: number;
  readonly columns: readonly string[];
  /** The first of them. */
  readonly rows: readonly (readonly unknown[])[];
  readonly tookMs: number;
  /** A transaction was begun and not ended: it was rolled back. */
  readonly isOpen: boolean;
}

export interface ToVerify {
  readonly query: string;
  readonly args?: unknown;
}

/** What Postgres answers at `lsn`; the tables stay as they are until `id` is let go. */
export interface Truth {
  readonly id: string;
  readonly lsn: string;
  readonly answers: readonly TrueAnswer[];
}

export interface TrueAnswer {
  readonly rowCount: number;
  /** SHA-256 of `canonicalRows`, and the same of the rows taken as a set. */
  readonly hash: string;
  readonly unorderedHash: string;
}

/** Whether the tables were still as they were when `lsn` was read. */
export interface LetGo {
  readonly held: boolean;
}
