import type { SluiceError } from '@sluice/core/errors';
import { SOURCE_ERRORS } from '../../source/errors.js';
import { CHECK_ERRORS, CHECK_WARNINGS, type CheckWarningCode } from './errors.js';

/** What stops a start: of our own, or what the source would stumble over. */
const OBSTACLES = { ...SOURCE_ERRORS, ...CHECK_ERRORS } as const;
export type ObstacleCode = keyof typeof SOURCE_ERRORS | keyof typeof CHECK_ERRORS;

/** One thing that `sluice check` found. An `error` stops `sluice start`. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  readonly code: string;
  readonly message: string;
  /** What exactly: names and numbers of this database. */
  readonly detail?: string;
  readonly remedy: string;
}

export function obstacle(code: ObstacleCode, detail?: string, remedy?: string): Finding {
  const { message, hint } = OBSTACLES[code];
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
