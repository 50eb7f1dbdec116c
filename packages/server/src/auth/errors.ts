import { SluiceError } from '@sluice/core/errors';

export const AUTH_ERRORS = {
  unauthorized: {
    message: 'The token was not accepted.',
    hint: "Get a new token and connect again. The server's auth(request) decides; it answered null.",
    retry: false,
    stage: 'transport',
  },
  token_expired: {
    message: 'The token has expired.',
    hint: 'Send a new one with `auth` before it does, or connect again with it.',
    retry: false,
    stage: 'transport',
  },
  auth_answer_invalid: {
    message: "The server's auth(request) did not answer who is asking.",
    hint: "Let it return { role?, claims?, expiresAt? }, or null to refuse; the server's log says what came.",
    retry: false,
    stage: 'transport',
  },
  auth_failed: {
    message: 'The token could not be checked.',
    hint: "The server's auth(request) failed or took too long; see its log. Try again.",
    retry: true,
    stage: 'transport',
  },
} as const;

export function authError(code: keyof typeof AUTH_ERRORS, detail?: string): SluiceError {
  return new SluiceError(code, AUTH_ERRORS[code], detail);
}
