import { SluiceError } from '@sluice/core/errors';

/** What can go wrong between an application and its `createSluice`. */
export const SLUICE_ERRORS = {
  token_handle_unknown: {
    message: 'sluice.token was given something that cannot run SQL.',
    hint: 'Pass the transaction itself: of pg (query), postgres.js (unsafe), Drizzle (execute), Kysely (executeQuery) or Prisma ($executeRawUnsafe).',
    retry: false,
    stage: 'cli',
  },
  sluice_stopped: {
    message: 'This instance was stopped, and cannot be started again.',
    hint: 'Make a new one with createSluice.',
    retry: false,
    stage: 'cli',
  },
  thread_ended: {
    message: 'The thread of the views ended by itself.',
    hint: 'Start the process again (a supervisor does): nothing is lost. Report what the log says with event "thread_failed".',
    retry: true,
    stage: 'cli',
  },
} as const;

export function sluiceError(code: keyof typeof SLUICE_ERRORS, detail?: string): SluiceError {
  return new SluiceError(code, SLUICE_ERRORS[code], detail);
}
