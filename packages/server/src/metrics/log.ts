import { SluiceError } from '@sluice/core/errors';
import { pino, type Logger } from 'pino';
import type { LogLevel } from '../config/config.js';
import type { SourceEvent } from '../source/source-status.js';
import type { ViewEvent } from '../views/host-options.js';

/** Lines of JSON on stderr: results alone go to stdout. */
export function makeLogger(level: LogLevel): Logger {
  return pino(
    { name: 'sluice', level, base: { pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/**
 * An error as it may be written down. The words of an error that is not from a registry may quote rows or
 * parameters (Postgres's often do): its class, its code and the places of its stack are kept, the words are not.
 */
export function loggable(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof SluiceError) {
    const cause = error.cause === undefined ? {} : { cause: loggable(error.cause) };
    return { code: error.code, message: error.message, detail: error.detail, hint: error.hint, ...cause };
  }
  if (!(error instanceof Error)) return { class: typeof error };
  const places = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  // An assertion of ours has no values in it, and is useless without its words.
  const ours = error.message.startsWith('assertion failed') ? { message: error.message } : {};
  const cause = error.cause === undefined ? {} : { cause: loggable(error.cause) };
  return { class: error.name, ...code, ...ours, ...cause, stack: places.map((line) => line.trim()) };
}

export function logSourceEvent(log: Logger, event: SourceEvent): void {
  const { kind, ...rest } = event;
  const fields = Object.fromEntries(
    Object.entries(rest).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'bigint' ? Number(value) : value,
    ]),
  );
  log[SOURCE_LEVELS[kind]]({ event: `source_${kind}`, ...fields });
}

const SOURCE_LEVELS = {
  connected: 'info',
  disconnected: 'warn',
  restarted: 'info',
  waiting: 'info',
  settled: 'info',
  retained_wal: 'warn',
  slot_given_up: 'error',
  backlog: 'warn',
  probe_failed: 'warn',
} as const satisfies Record<SourceEvent['kind'], string>;

export function logViewEvent(log: Logger, event: ViewEvent): void {
  if (event.kind === 'failed') log.error({ event: 'view_failed', error: loggable(event.error) });
  else if (event.kind === 'fetch_failed')
    log.warn({ event: 'view_fetch_failed', error: loggable(event.error) });
  else if (event.kind === 'full') log.warn({ event: 'view_full', heldBytes: event.heldBytes });
  else log.debug({ event: `view_${event.kind}`, ...event });
}
