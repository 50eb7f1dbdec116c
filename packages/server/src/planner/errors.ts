import { SluiceError, type ErrorEntry } from '@sluice/core/errors';

export type PlannerErrorCode =
  | 'syntax_error'
  | 'one_statement_only'
  | 'select_only'
  | 'locking_refused'
  | 'sample_refused'
  | 'table_unknown'
  | 'column_unknown'
  | 'type_mismatch'
  | 'query_invalid'
  | 'query_too_large'
  | 'query_too_slow_to_plan'
  | 'relation_not_replicated'
  | 'row_security_refused'
  | 'function_unknown'
  | 'function_volatile'
  | 'function_not_allowed'
  | 'function_security_definer'
  | 'type_not_allowed'
  | 'tick_missing'
  | 'tick_invalid'
  | 'read_not_permitted'
  | 'role_not_usable'
  | 'parameter_count'
  | 'parameter_invalid'
  | 'planning_failed'
  | 'planner_busy';

const entry = (message: string, hint: string, retry = false): ErrorEntry => ({
  message,
  hint,
  retry,
  stage: 'planner',
});

export const PLANNER_ERRORS: Readonly<Record<PlannerErrorCode, ErrorEntry>> = {
  syntax_error: entry('The query is not valid SQL.', 'Mend it where the detail points; psql shows the same.'),
  one_statement_only: entry(
    'A live query is exactly one statement.',
    'Subscribe to each statement on its own.',
  ),
  select_only: entry(
    'Only SELECT can be live.',
    'Remove INSERT, UPDATE, DELETE, MERGE and SELECT INTO, also from WITH; write in the application.',
  ),
  locking_refused: entry(
    'A live query cannot lock rows.',
    'Remove FOR UPDATE, FOR SHARE and their kind; lock in the transaction that writes.',
  ),
  sample_refused: entry(
    'TABLESAMPLE gives another answer every time.',
    'Remove it, or choose rows by a condition.',
  ),
  table_unknown: entry(
    'A table of the query does not exist.',
    'Check its name and schema; the search_path is the one of the service role.',
  ),
  column_unknown: entry('A column of the query does not exist.', 'Check its name and the alias before it.'),
  type_mismatch: entry(
    'Types in the query do not fit together.',
    'Add a cast, or mend the operand or argument where the detail points.',
  ),
  query_invalid: entry('Postgres refuses the query.', 'Mend it where the detail points; psql says more.'),
  query_too_large: entry(
    'The query passes a limit of the planner.',
    'Make it smaller, or raise the limit that the detail names.',
  ),
  query_too_slow_to_plan: entry(
    'Postgres did not plan the query in time.',
    'Use fewer joins, or raise planTimeoutMs.',
    true,
  ),
  relation_not_replicated: entry(
    'The changes of a relation that the query reads are not streamed.',
    'Publish the table (ALTER PUBLICATION sluice ADD TABLE …). Views over tables are fine; materialized views, foreign, unlogged and temporary tables, sequences and system catalogs cannot be live.',
  ),
  row_security_refused: entry(
    'A table that the query reads has row security enabled, which is not supported yet.',
    'Query tables without row security.',
  ),
  function_unknown: entry(
    'A function or operator of the query does not exist for these arguments.',
    'Check its name and the types of its arguments; add casts.',
  ),
  function_volatile: entry(
    'A volatile function may give another answer every time, so its result cannot be kept current.',
    'Remove it; if it only reads, declare it STABLE, and IMMUTABLE if it does not even read.',
  ),
  function_not_allowed: entry(
    'The query uses a function, operator or cast that is not on the list of allowed ones.',
    'Remove it, or allow it in the configuration if it is harmless; named queries may call the STABLE and IMMUTABLE functions of the application.',
  ),
  function_security_definer: entry(
    'A SECURITY DEFINER function runs with the rights of its owner.',
    'Make it SECURITY INVOKER, or declare it and the tables that it reads in the configuration.',
  ),
  type_not_allowed: entry(
    'An ad-hoc query may not cast to a type that looks into the catalog.',
    'Remove the cast to regclass, regproc or their kind.',
  ),
  tick_missing: entry(
    'The query reads the clock, and nothing says how often time moves.',
    "Subscribe with a tick (`tick: '1m'`), or pass the time as a parameter.",
  ),
  tick_invalid: entry(
    'The tick is not a duration that can be kept.',
    'Write a whole number and a unit: 10s, 1m, 1h, 1d; not below one second.',
  ),
  read_not_permitted: entry(
    'The role may not read what the query reads.',
    'Run again, as the owner, what `sluice check --print-grants` prints; or grant the client role SELECT on the tables or columns, EXECUTE on the functions and USAGE on the schemas.',
  ),
  role_not_usable: entry(
    'The role that the client was given cannot be taken.',
    'Let auth return a role that exists, and let the owner run what `sluice check --print-grants --role` and its name print.',
  ),
  parameter_count: entry(
    'The number of parameters is not the number that the query has.',
    'Give one value for each of $1, $2, …',
  ),
  parameter_invalid: entry(
    'A parameter is not a value of the type that the query needs.',
    'Send the value as Postgres prints it; the detail names the parameter and the type.',
  ),
  planning_failed: entry('The database could not be asked about the query.', 'Try again.', true),
  planner_busy: entry(
    'More new queries than may wait are being planned.',
    'Try again; open fewer different queries at once, or give them the same text and different parameters.',
    true,
  ),
};

export function plannerError(code: PlannerErrorCode, detail?: string, options?: ErrorOptions): SluiceError {
  return new SluiceError(code, PLANNER_ERRORS[code], detail, options);
}
