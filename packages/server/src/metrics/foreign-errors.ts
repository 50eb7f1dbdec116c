import type { Logger } from 'pino';
import type { ErrorHook, ErrorPlace } from '../config/config.js';
import { loggable } from './log.js';

const HINT =
  'What it said may hold rows or tokens, so it is not written here: `onError` of the configuration is given it.';

/** What functions of the application threw. */
export class ForeignErrors {
  readonly #log: Logger;
  readonly #hook: ErrorHook | undefined;

  constructor(log: Logger, hook: ErrorHook | undefined) {
    this.#log = log;
    this.#hook = hook;
  }

  failed(error: unknown, place: ErrorPlace): void {
    const { function: failed, ...where } = place;
    const hint = this.#hook === undefined ? { hint: HINT } : {};
    const event = `${failed}_function_failed`;
    this.#log.error({ event, ...where, error: loggable(error), ...hint }, `The ${failed} function failed.`);
    try {
      this.#hook?.(error, place);
    } catch (thrown) {
      this.#log.error({ event: 'on_error_failed', error: loggable(thrown) });
    }
  }
}
