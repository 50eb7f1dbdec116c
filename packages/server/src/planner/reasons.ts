/** Why a plan is re-run rather than maintained incrementally: one line per cause, shown by `explain`. */
export const RERUN_REASONS = {
  no_table: 'It reads no table.',
  generated: 'It reads a generated column, which the stream does not carry.',
  inheritance: 'The table has tables that inherit from it.',
  only: 'It reads only the root of a partitioned table.',
  no_key: 'The table has no primary key, nor a unique key over columns that are NOT NULL.',
  no_identity:
    'The table has no replica identity that holds its key, so Postgres refuses its updates and deletes while it is published: add a primary key, or set REPLICA IDENTITY.',
  key_type:
    'The key of the table has a type that Postgres may print differently while the value stays the same, such as regclass.',
  user_code: 'It may use functions, operators or casts of the application.',
  clock: 'It reads the clock.',
  not_analysed: 'Postgres did not analyse it for Sluice.',
  not_planned: 'A fault of Sluice: it could not be planned incrementally.',
  no_columns: 'It has no columns.',
  data_error: 'A constant in it makes Postgres raise an error.',
} as const;

export type RerunCause = keyof typeof RERUN_REASONS;

/** Thrown and caught within the planner: the query is fine, and not incremental. */
export class NotIncremental extends Error {
  readonly why: RerunCause;
  readonly subject: string | null;

  constructor(why: RerunCause, subject: string | null = null) {
    super(why);
    this.why = why;
    this.subject = subject;
  }

  /** The reason in words. */
  get reason(): string {
    const words: string = RERUN_REASONS[this.why];
    return this.subject === null ? words : `${words} (${this.subject})`;
  }
}

/** Thrown and caught within the planner: it is more than rows of one table, so that blocks are tried, which have reasons of their own. */
export class BeyondOneTable extends Error {
  constructor() {
    super('more than rows of one table');
  }
}
