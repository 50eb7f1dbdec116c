/** Why an expression is not one that the engine evaluates: one line per cause, shown by `explain`. */
export const EXPRESSION_REASONS = {
  function_of_application: 'It calls a function, operator or cast that is not one of Postgres itself.',
  function_volatile: 'It calls a volatile function.',
  function_of_sets: 'It calls a function that returns a set of rows.',
  function_variadic: 'It calls a function with VARIADIC.',
  collation_nondeterministic: 'It compares text under a non-deterministic collation.',
  collation: 'It orders text under a collation other than "C"; COLLATE "C" would make it incremental.',
  collation_case: 'It changes the case of text under a Turkic locale, which has two letters i.',
  order_type: 'It orders, or tells rows apart, by a type whose order Sluice does not know.',
  collation_undetermined:
    'It compares texts of different collations without saying which of them counts; COLLATE says it.',
  operator: 'It orders or groups by an operator other than <, > and = of the type itself.',
  constant: 'It holds a constant of a type whose values Sluice does not read.',
  cast: 'It holds a cast between types that print the same value differently.',
  domain: 'It casts to a domain, whose constraints only Postgres checks.',
  row: 'It holds a whole row, or a part of one, as a value.',
  slice: 'It takes a slice of an array.',
  clock: 'It reads the clock, or who is asking.',
  subquery: 'It holds a subquery where Sluice does not expect one.',
  aggregate: 'It holds an aggregate or a window function where Sluice does not expect one.',
  column: 'It reads a column that is not at hand: of a system, or of another query.',
  unknown: 'It holds an expression that Sluice does not know.',
} as const;

export type ExpressionCause = keyof typeof EXPRESSION_REASONS;

/** Thrown and caught by whoever plans: the query is fine, and not incremental. */
export class NotExpressible extends Error {
  readonly why: ExpressionCause;
  readonly subject: string | null;

  constructor(why: ExpressionCause, subject: string | null = null) {
    super(why);
    this.why = why;
    this.subject = subject;
  }

  /** The reason in words. */
  get reason(): string {
    const words: string = EXPRESSION_REASONS[this.why];
    return this.subject === null ? words : `${words} (${this.subject})`;
  }
}
