import { SluiceError } from '@sluice/core/errors';

/** What can be wrong with a configuration, wherever it came from. */
export const CONFIG_ERRORS = {
  config_invalid: {
    message: 'The configuration has a wrong value.',
    hint: 'Mend the keys that the detail names; docs/operations.md lists every key with its meaning.',
    retry: false,
    stage: 'cli',
  },
  config_key_unknown: {
    message: 'The configuration has a key that does not exist.',
    hint: 'Remove the key or use the one that the detail suggests; docs/operations.md lists them all.',
    retry: false,
    stage: 'cli',
  },
  config_file_missing: {
    message: 'The configuration file does not exist.',
    hint: 'Give the path of an existing file to --config, or leave it out to use sluice.config.* of this folder.',
    retry: false,
    stage: 'cli',
  },
  config_file_ambiguous: {
    message: 'There is more than one configuration file in this folder.',
    hint: 'Keep one of them, or name the one to use with --config.',
    retry: false,
    stage: 'cli',
  },
  config_file_broken: {
    message: 'The configuration file cannot be loaded.',
    hint: 'Mend the error that the detail names. The file must export its configuration as `default`.',
    retry: false,
    stage: 'cli',
  },
  database_not_given: {
    message: 'No database is configured.',
    hint: 'Set DATABASE_URL, --database-url or the key "database"; `sluice dev` starts a Postgres of its own.',
    retry: false,
    stage: 'cli',
  },
  listen_not_loopback: {
    message: 'The address is reachable from other machines.',
    hint: 'Listen on 127.0.0.1 behind a proxy of yours, or set `insecure` (--insecure) when only trusted machines reach it.',
    retry: false,
    stage: 'cli',
  },
} as const;

export function configError(
  code: keyof typeof CONFIG_ERRORS,
  detail?: string,
  options?: ErrorOptions,
): SluiceError {
  return new SluiceError(code, CONFIG_ERRORS[code], detail, options);
}
