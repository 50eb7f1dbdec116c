import type { WireError } from '@sluice/core/wire';
import type { Logger } from 'pino';

/** The same error of the same query is written once in this time, and no more lines than `LINES_MAX`. */
const WINDOW_MS = 60_000;
const LINES_MAX = 100;
/** A part of daily life: no warning. */
const USUAL = new Set(['unauthorized', 'token_expired']);

/**
 * Writes down what clients are told of: who writes an application looks there first. Clients can cause as many of
 * these as they like, hence the bounds; the metrics count them all.
 */
export class ToldErrors {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #written = new Set<string>();
  #beginMs = 0;

  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /**
   * A query was refused, or failed.
   * @param query its name; null for a client's own SQL, of which no detail is written: it may quote a constant
   */
  query(query: string | null, error: WireError): void {
    const { code, message, hint, retry } = error;
    if (query === null)
      this.#write('query_error', { code, message, retry, ...(hint === undefined ? {} : { hint }) });
    else this.#write('query_error', error, { query: query.slice(0, 100) });
  }

  /** A connection was refused, or ended for what the client sent. */
  connection(error: WireError): void {
    this.#write('connection_refused', error);
  }

  #write(
    event: string,
    { code, message, detail, hint, retry }: WireError,
    where: { query?: string } = {},
  ): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#beginMs >= WINDOW_MS) {
      this.#beginMs = nowMs;
      this.#written.clear();
    }
    const key = `${code} ${where.query ?? ''}`;
    if (this.#written.has(key) || this.#written.size >= LINES_MAX) return;
    this.#written.add(key);
    const why = detail === undefined ? {} : { detail };
    this.#log[retry || USUAL.has(code) ? 'info' : 'warn']({ event, code, ...where, ...why, hint }, message);
  }
}
