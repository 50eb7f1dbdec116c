/** Time, passed in so that tests can own it. */
export interface Clock {
  /** Milliseconds, from any origin; only differences count. */
  now(): number;
  /** Runs once after a time. @returns what cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
