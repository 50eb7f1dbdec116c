import { SluiceError, type ErrorEntry } from '@sluice/core/errors';

export type AnalysisErrorCode = 'analysis_unavailable' | 'analysis_unreadable';

/** Neither fails a query: what cannot be analysed is re-run, and the detail is the reason that `explain` shows. */
export const ANALYSIS_ERRORS: Readonly<Record<AnalysisErrorCode, ErrorEntry>> = {
  analysis_unavailable: {
    message: 'Postgres could not be asked how it understands the query.',
    hint: 'The query is re-run instead. Let the service role create temporary objects (GRANT TEMPORARY ON DATABASE … TO …) on a server that takes writes, and use a supported version of Postgres.',
    retry: true,
    stage: 'analysis',
  },
  analysis_unreadable: {
    message: 'How Postgres understood the query is written in a form that Sluice does not know.',
    hint: 'The query is re-run instead. Report it with the version of Postgres: a new release may need a new reader.',
    retry: false,
    stage: 'analysis',
  },
};

export function analysisError(code: AnalysisErrorCode, detail?: string, options?: ErrorOptions): SluiceError {
  return new SluiceError(code, ANALYSIS_ERRORS[code], detail, options);
}
