import type { WireError } from '@sluice/core/wire';
import type { Logger } from 'pino';

/** The same error of the same query is written once in this time, and no more lines than `LINES_MAX`. */
const WINDOW_MS = 60_000;
const LINES_MAX = 100;

/**
 * Writes down why queries are refused or fail: who writes an application looks there first. Clients can cause as many
 * of these as they like, hence the bounds; `sluice_errors_total` counts them all.
 */
export class QueryErrors {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #written = new Set<string>();
  #beginMs = 0;

  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** @param query its name; null for a client's own SQL, of which no detail is written: it may quote a constant */
  note(query: string | null, { code, message, detail, hint, retry }: WireError): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#beginMs >= WINDOW_MS) {
      this.#beginMs = nowMs;
      this.#written.clear();
    }
    const key = `${code} ${query ?? ''}`;
    if (this.#written.has(key) || this.#written.size >= LINES_MAX) return;
    this.#written.add(key);
    const what =
      query === null ? {} : { query: query.slice(0, 100), ...(detail === undefined ? {} : { detail }) };
    this.#log[retry ? 'info' : 'warn']({ event: 'query_error', code, ...what, hint }, message);
  }
}
