import type { SluiceError } from '@sluice/core/errors';
import { CHECK_ERRORS, CHECK_WARNINGS, type CheckErrorCode, type CheckWarningCode } from './errors.js';

/** One thing that `sluice check` found. An `error` stops `sluice start`. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  readonly code: string;
  readonly message: string;
  /** What exactly: names and numbers of this database. */
  readonly detail?: string;
  readonly remedy: string;
}

export function obstacle(code: CheckErrorCode, detail?: string, remedy?: string): Finding {
  const { message, hint } = CHECK_ERRORS[code];
  return {
    severity: 'error',
    code,
    message,
    ...(detail === undefined ? {} : { detail }),
    remedy: remedy ?? hint,
  };
}

export function warning(code: CheckWarningCode, detail?: string, remedy?: string): Finding {
  const { message, hint } = CHECK_WARNINGS[code];
  return {
    severity: 'warning',
    code,
    message,
    ...(detail === undefined ? {} : { detail }),
    remedy: remedy ?? hint,
  };
}

export function note(code: CheckWarningCode, detail?: string, remedy?: string): Finding {
  return { ...warning(code, detail, remedy), severity: 'note' };
}

export function fromError(error: SluiceError): Finding {
  const { code, message, detail, hint } = error;
  return { severity: 'error', code, message, ...(detail === undefined ? {} : { detail }), remedy: hint };
}
