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
} as const;

export function resolvingError(code: keyof typeof RESOLVING_ERRORS, detail: string): SluiceError {
  return new SluiceError(code, RESOLVING_ERRORS[code], detail);
}
