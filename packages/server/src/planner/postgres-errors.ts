import type { SluiceError } from '@sluice/core/errors';
import { sourceError } from '../source/errors.js';
import { plannerError, type PlannerErrorCode } from './errors.js';

/** SQLSTATEs of a statement that cannot be described or planned (Postgres manual, "PostgreSQL Error Codes"). */
const STATES: Readonly<Record<string, PlannerErrorCode>> = {
  '42601': 'syntax_error',
  '42P01': 'table_unknown',
  '3F000': 'table_unknown',
  '42703': 'column_unknown',
  '42702': 'column_unknown',
  '42883': 'function_unknown',
  '42725': 'function_unknown',
  '42501': 'read_not_permitted',
  '42804': 'type_mismatch',
  '42846': 'type_mismatch',
  '42P18': 'type_mismatch',
  '42P08': 'type_mismatch',
  '57014': 'query_too_slow_to_plan',
};

const LOCK_TIMEOUT = '55P03';

/** Names that Postgres puts into these messages are of the query or the schema; values are in class 22 alone. */
export function fromPostgres(error: unknown): SluiceError {
  if (!isDatabaseError(error)) return plannerError('planning_failed', undefined, { cause: error });
  const { code, message, position } = error;
  const at = position === undefined ? '' : ` (position ${position})`;
  if (code === LOCK_TIMEOUT) return sourceError('lock_timeout', message);
  const known = STATES[code];
  if (known === 'read_not_permitted') return plannerError(known, message);
  if (known !== undefined) return plannerError(known, `${message}${at}`);
  if (code.startsWith('42') || code.startsWith('0A')) return plannerError('query_invalid', `${message}${at}`);
  if (code.startsWith('22')) return plannerError('query_invalid', `A constant is not valid (${code})${at}.`);
  if (code.startsWith('54')) return plannerError('query_too_large', message);
  return plannerError('planning_failed', `SQLSTATE ${code}`, { cause: error });
}

/** Something that the data or a constant makes Postgres raise while it plans: the answer is then an error (C17). */
export function isDataError(error: unknown): boolean {
  return (
    isDatabaseError(error) &&
    (error.code.startsWith('22') || error.code.startsWith('P0') || error.code === '21000')
  );
}

interface DatabaseError {
  readonly code: string;
  readonly message: string;
  readonly position?: string;
}

function isDatabaseError(error: unknown): error is DatabaseError {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code)
  );
}
