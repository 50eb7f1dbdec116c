import { SluiceError, type ErrorEntry } from '@sluice/core/errors';

export type ViewsErrorCode =
  | 'result_too_large'
  | 'too_many_views'
  | 'query_replanned'
  | 'limit_negative'
  | 'memory_full'
  | 'internal_error';

export const VIEWS_ERRORS: Readonly<Record<ViewsErrorCode, ErrorEntry>> = {
  result_too_large: {
    message: 'The query returns more than a view may hold.',
    hint: 'Add a LIMIT or a narrower WHERE, or raise limits.rowsPerViewMax or limits.bytesPerViewMax.',
    retry: false,
    stage: 'views',
  },
  too_many_views: {
    message: 'The server holds as many views as it may.',
    hint: 'Close subscriptions that are not needed, or raise limits.viewsMax.',
    retry: true,
    stage: 'views',
  },
  query_replanned: {
    message: 'The database schema changed, and the columns of the result with it.',
    hint: 'Subscribe again; the client does so by itself.',
    retry: true,
    stage: 'views',
  },
  limit_negative: {
    message: 'LIMIT and OFFSET must not be negative.',
    hint: 'Check the parameter on the side that computes it.',
    retry: false,
    stage: 'views',
  },
  memory_full: {
    message: 'The views held more together than they may, and this one most of all.',
    hint: 'Add a LIMIT or a narrower WHERE, close subscriptions that are not needed, or raise limits.heldBytesMax. It is refused for a while, each time in a row for longer.',
    retry: true,
    stage: 'views',
  },
  internal_error: {
    message: 'A fault of the server: the view could not be kept exact, and was ended.',
    hint: 'Subscribe again; report the entry with kind "failed" of the server log.',
    retry: true,
    stage: 'views',
  },
};

export function viewsError(code: ViewsErrorCode, detail?: string, options?: ErrorOptions): SluiceError {
  return new SluiceError(code, VIEWS_ERRORS[code], detail, options);
}

/** Codes of `source` that may pass with another try, but say something of the query: that it is too slow. */
const OF_THE_QUERY: ReadonlySet<string> = new Set(['statement_timeout']);

/** Errors of the moment (connection, conflict, lock, queue), not of the query: the run is tried again. */
export function isTransient(error: unknown): boolean {
  return error instanceof SluiceError && error.retry && !OF_THE_QUERY.has(error.code);
}

/** The error that a view shows as its answer (C17). Anything that is not from the registry is a fault of ours. */
export function answerError(error: unknown): SluiceError {
  return error instanceof SluiceError ? error : viewsError('internal_error', undefined, { cause: error });
}
