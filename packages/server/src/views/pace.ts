/** Templates whose views take longer than this run in a lane of their own, and rest after each run. */
export const SLOW_MS = 50;

/** How long to rest after a round of reading: the database is busy with us two thirds of the time at most. */
export function restMs(tookMs: number, intervalMs: number): number {
  return Math.max(intervalMs - tookMs, tookMs / 2);
}
