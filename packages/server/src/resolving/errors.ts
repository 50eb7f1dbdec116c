import { SluiceError } from '@sluice/core/errors';

/** What can be wrong with the call of a named query. */
export const RESOLVING_ERRORS = {
  query_args_invalid: {
    message: 'The arguments are not those that the query takes.',
    hint: 'Compare them with the definition of the query on the server; the detail names what is missing or too much.',
    retry: false,
    stage: 'sessions',
  },
  query_answer_invalid: {
    message: "The query's function on the server did not return a query that can be live.",
    hint: 'Return a Drizzle or Kysely select builder, or { sql, params }; the detail says what came instead.',
    retry: false,
    stage: 'sessions',
  },
  resolver_unreachable: {
    message: 'The process that resolves queries did not answer.',
    hint: 'Start it, or mend `resolve.url` of the configuration; `resolve.timeoutMs` says how long it has.',
    retry: true,
    stage: 'sessions',
  },
  resolver_failed: {
    message: 'The process that resolves queries failed.',
    hint: 'See its log for the cause.',
    retry: true,
    stage: 'sessions',
  },
  resolver_refused: {
    message: 'The process that resolves queries refused the request.',
    hint: 'Both sides need the same secret (`resolve.secret`) and clocks that agree; the request must be allowed there.',
    retry: true,
    stage: 'sessions',
  },
  resolver_busy: {
    message: 'Too many queries wait for the process that resolves them.',
    hint: 'They are tried again. Make it answer faster, or raise `resolve.concurrency` or `resolve.queueMax`.',
    retry: true,
    stage: 'sessions',
  },
  resolver_answer_invalid: {
    message: 'What `resolve` answered is no query.',
    hint: 'Answer { sql, params, shape?, tick? }, or null (over HTTP also status 404) for a name that is unknown.',
    retry: false,
    stage: 'sessions',
  },
} as const;

export function resolvingError(
  code: keyof typeof RESOLVING_ERRORS,
  detail: string,
  options?: ErrorOptions,
): SluiceError {
  return new SluiceError(code, RESOLVING_ERRORS[code], detail, options);
}

/** A name as errors and logs tell it: clients may send one of any length. */
export function shortName(name: string): string {
  return name.slice(0, 100);
}
