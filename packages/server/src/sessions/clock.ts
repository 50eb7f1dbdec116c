/** Time and turns of the event loop, passed in so that tests own them. */
export interface Clock {
  nowMs(): number;
  /** Runs `task` once after `delayMs`. @returns what cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs `task` once at the end of this turn of the event loop. */
  soon(task: () => void): void;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (task) => {
    setImmediate(task);
  },
};
