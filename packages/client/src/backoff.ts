/** How long to wait between attempts to connect, or to subscribe: full jitter, so that a thousand clients do not come at once. */
export interface Backoff {
  /** Upper bound of the first wait. Default 250 ms. */
  readonly firstMs: number;
  /** Upper bound of every wait. Default 10 s. */
  readonly maxMs: number;
  /** A connection, or a view, that lived as long as this makes the next wait a first one again. Default 5 s. */
  readonly stableMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { firstMs: 250, maxMs: 10_000, stableMs: 5_000 };

/**
 * @param attempt 0 for the first wait.
 * @param random uniform in [0, 1).
 * @returns uniform between 0 and the bound of the attempt, which doubles until `maxMs`.
 */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number): number {
  return random() * Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt, 30));
}
