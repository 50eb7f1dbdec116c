import { EXPRESSION_REASONS, type ExpressionCause } from '../analysis/expression-reasons.js';
import { BLOCK_REASONS, type BlockCause } from '../planner/blocks/reasons.js';
import { RERUN_REASONS, type RerunCause } from '../planner/reasons.js';

/** What makes a query incremental that is not, where somebody can do something about it. */
type Remedies<Cause extends string> = Readonly<Partial<Record<Cause, string>>>;

const RERUN_REMEDIES: Remedies<RerunCause> = {
  inheritance: 'Make it a partitioned table, or query the tables that inherit from it one by one.',
  only: 'Leave out ONLY.',
  no_key: 'Add a primary key.',
  no_identity: 'Add a primary key, or set REPLICA IDENTITY.',
  generated: 'Write the expression of the column into the query.',
  not_analysed:
    'Grant TEMPORARY on the database to the service role, and USAGE on the schemas: `sluice check` says what is missing.',
  not_planned: 'Report it, with the query.',
  clock: 'Give the time as a parameter, which the application changes as time moves.',
  data_error: 'Mend the constant.',
};

const BLOCK_REMEDIES: Remedies<BlockCause> = {
  full_join: 'Join by an equality.',
  distinct_on: 'Order by the columns of DISTINCT ON, then by what decides which row is the first.',
  window_order: "Add a unique column to the window's ORDER BY.",
  cte: 'Leave out MATERIALIZED.',
  float_sum: 'Use numeric, or sum(x ORDER BY a unique column).',
  limit: 'Give it as a number or a parameter.',
};

const EXPRESSION_REMEDIES: Remedies<ExpressionCause> = {
  collation: 'Write COLLATE "C" behind what is ordered, or give the column that collation.',
  collation_undetermined: 'Write COLLATE behind one of the two.',
  function_of_application: "Write with Postgres's own functions and operators.",
  domain: 'Cast to the type that the domain is made of.',
  clock: 'Give the time as a parameter, which the application changes as time moves.',
};

const ALL: readonly (readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>])[] = [
  [BLOCK_REASONS, BLOCK_REMEDIES],
  [EXPRESSION_REASONS, EXPRESSION_REMEDIES],
  [RERUN_REASONS, RERUN_REMEDIES],
];

/** By the words of a reason, which end in what they are about. */
export function remedyFor(reason: string): string | null {
  // The engine's own words for the order of text that only Postgres knows.
  if (reason.includes('the order of a collation')) return EXPRESSION_REMEDIES.collation ?? null;
  for (const [reasons, remedies] of ALL)
    for (const [cause, words] of Object.entries(reasons))
      if (reason.startsWith(words)) return remedies[cause] ?? null;
  return null;
}
