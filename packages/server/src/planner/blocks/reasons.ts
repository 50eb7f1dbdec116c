/** Why a query is no tree of blocks, beyond what its expressions are: one line per cause, shown by `explain`. */
export const BLOCK_REASONS = {
  full_join: 'It has a FULL JOIN of which the sides are not joined by an equality.',
  whole_row: 'It reads a whole row, or a column of the system, within an outer join.',
  window_function: 'It has a window function that Sluice does not maintain.',
  window_order:
    'It has a window function whose value depends on the order of rows that its window does not order.',
  window_frame: 'It has a window whose frame is a RANGE of a type that Sluice does not reckon with.',
  distinct_on: 'It has DISTINCT ON without an ORDER BY that says which row is the first.',
  set_cast: 'The types of a UNION, INTERSECT or EXCEPT become one in a way that Sluice does not know.',
  cte: 'It has a WITH query that stands for itself: recursive or MATERIALIZED.',
  from_function: 'It reads from a function that Sluice does not compute.',
  from_subquery: 'It has a subquery within VALUES, or within a function in FROM.',
  from_unknown: 'It reads from something that Sluice does not know.',
  correlated: 'A subquery depends on rows of several tables of the query around it.',
  constant_key: 'It has GROUPING SETS, ROLLUP or CUBE over an expression that reads no column.',
  grouped_twice:
    'It has GROUPING SETS, ROLLUP or CUBE over a table that it joins to itself: Postgres 18 may take the two for one.',
  key_text: 'It groups, or tells rows apart, by values of a type whose equality Sluice does not know.',
  aggregate: 'It has an aggregate that Sluice does not maintain.',
  float_sum: 'It adds floating-point numbers, whose sum depends on the order in which Postgres reads them.',
  column_type: 'It has an expression whose type Sluice does not know.',
  not_reproduced: 'It calls a function that Sluice does not reproduce.',
  order_below:
    'It cuts rows by LIMIT or OFFSET in the order of a subquery; an ORDER BY beside them would make it incremental.',
  folded:
    'It has a CASE, COALESCE, AND or OR of which so much may be worked out before a row is read that Sluice does not follow it.',
  limit: 'Its LIMIT or OFFSET is computed.',
} as const;

export type BlockCause = keyof typeof BLOCK_REASONS;

/** Thrown and caught within the planner: the query is fine, and not incremental. */
export class NotABlock extends Error {
  readonly why: BlockCause;
  readonly subject: string | null;

  constructor(why: BlockCause, subject: string | null = null) {
    super(why);
    this.why = why;
    this.subject = subject;
  }

  /** The reason in words. */
  get reason(): string {
    const words: string = BLOCK_REASONS[this.why];
    return this.subject === null ? words : `${words} (${this.subject})`;
  }
}
