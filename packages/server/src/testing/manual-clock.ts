import type { Clock } from '../sessions/clock.js';

/** Time that passes when the test says so. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #soon: (() => void)[] = [];
  readonly #turns: boolean;
  readonly #timers = new Set<{ readonly atMs: number; readonly task: () => void }>();

  /** @param turns whether turns of the event loop are the test's, too; with sockets they are the loop's own */
  constructor(turns = true) {
    this.#turns = turns;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(task: () => void): void {
    if (this.#turns) this.#soon.push(task);
    else setImmediate(task);
  }

  /** Runs what this turn of the event loop has left to do. */
  turn(): void {
    for (;;) {
      const tasks = this.#soon;
      this.#soon = [];
      if (tasks.length === 0) return;
      for (const task of tasks) task();
    }
  }

  /** Lets time pass, timers firing in their order. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      this.turn();
      const [next] = [...this.#timers]
        .filter(({ atMs }) => atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
    }
    this.#nowMs = untilMs;
    this.turn();
  }
}
