import { SluiceError, type ErrorEntry } from '@sluice/core/errors';

export type ViewsErrorCode =
  | 'result_too_large'
  | 'too_many_views'
  | 'query_failed'
  | 'query_timeout'
  | 'query_replanned'
  | 'tick_invalid'
  | 'internal_error';

export const VIEWS_ERRORS: Readonly<Record<ViewsErrorCode, ErrorEntry>> = {
  result_too_large: {
    message: 'The query returns more rows than a view may hold.',
    hint: 'Add a LIMIT or a narrower WHERE, or raise the option maxRowsPerView.',
    retry: false,
    stage: 'views',
  },
  too_many_views: {
    message: 'The server holds as many views as it may.',
    hint: 'Close subscriptions that are not needed, or raise the option maxViews.',
    retry: true,
    stage: 'views',
  },
  query_failed: {
    message: 'Postgres raised an error while it ran the query.',
    hint: 'Run the query in psql with the same parameters and role; the view recovers with the next change that mends it.',
    retry: false,
    stage: 'views',
  },
  query_timeout: {
    message: 'The query ran longer than a live query may.',
    hint: 'Add an index (see EXPLAIN), narrow the query, or raise the option statementTimeoutMs.',
    retry: true,
    stage: 'views',
  },
  query_replanned: {
    message: 'The database schema changed, and the columns of the result with it.',
    hint: 'Subscribe again; the client does so by itself.',
    retry: true,
    stage: 'views',
  },
  tick_invalid: {
    message: 'The query reads the clock and needs a tick between 1s and 24h.',
    hint: "Give how often time shall move: tick: '10s', '1m' or '1h'.",
    retry: false,
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

/** SQLSTATE of a cancelled statement (Postgres manual, appendix A). */
const QUERY_CANCELED = '57014';

/** What Postgres said of a query, without the values that its words may hold. */
export function answerError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const sqlstate = sqlstateOf(error);
  if (sqlstate === QUERY_CANCELED) return viewsError('query_timeout', undefined, { cause: error });
  return viewsError('query_failed', sqlstate === null ? undefined : `SQLSTATE ${sqlstate}`, { cause: error });
}

/** Errors of the moment, not of the query: connection, serialization, resources, shutdown, lock. Worth another try. */
export function isTransient(error: unknown): boolean {
  return /^(08|40|53|57P|55P03)/.test(sqlstateOf(error) ?? '');
}

function sqlstateOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}
