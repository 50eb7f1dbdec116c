import type { SluiceError } from '@sluice/core/errors';

/** Lets so many pass at once, so many wait, and refuses the rest. */
export class Limiter {
  readonly #concurrency: number;
  readonly #queueMax: number;
  readonly #full: () => SluiceError;
  readonly #waiting: { readonly enter: () => void; readonly refuse: (error: Error) => void }[] = [];
  #running = 0;

  /** @param full what those are told who may not even wait */
  constructor(concurrency: number, queueMax: number, full: () => SluiceError) {
    this.#concurrency = concurrency;
    this.#queueMax = queueMax;
    this.#full = full;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#concurrency) await this.#wait();
    else this.#running++;
    try {
      return await work();
    } finally {
      // A place is handed on, not freed and taken again, so that nobody slips in between.
      const next = this.#waiting.shift();
      if (next) next.enter();
      else this.#running--;
    }
  }

  /** Sends everyone who waits away. */
  refuseAll(error: Error): void {
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(error);
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#queueMax) throw this.#full();
    return new Promise((enter, refuse) => this.#waiting.push({ enter, refuse }));
  }
}
