import { clientError } from './errors.js';

/** Where an error goes that a listener of the application throws: never back into the client. */
export type ListenerErrorHandler = (error: unknown) => void;

/** To the page's error events; in Node a warning. */
export const reportListenerError: ListenerErrorHandler = (error) => {
  const platform = globalThis as {
    reportError?: (error: unknown) => void;
    process?: { emitWarning?: (warning: Error) => void };
  };
  if (platform.reportError) platform.reportError(error);
  else platform.process?.emitWarning?.(error instanceof Error ? error : new Error(String(error)));
};

/** A bounded set of listeners. One that is removed while the others are told is not told any more. */
export class Listeners<T> {
  readonly #max: number;
  readonly #onError: ListenerErrorHandler;
  readonly #held = new Set<{ readonly run: (value: T) => void }>();

  constructor(max: number, onError: ListenerErrorHandler) {
    this.#max = max;
    this.#onError = onError;
  }

  /** @throws SluiceError `too_many_listeners`. @returns what removes it. */
  add(run: (value: T) => void): () => void {
    if (this.#held.size >= this.#max) throw clientError('too_many_listeners');
    const holder = { run };
    this.#held.add(holder);
    return () => void this.#held.delete(holder);
  }

  /** Those that are there now; one that joins meanwhile waits for the next time. */
  tell(value: T): void {
    for (const holder of Array.from(this.#held)) {
      if (!this.#held.has(holder)) continue;
      try {
        holder.run(value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }

  clear(): void {
    this.#held.clear();
  }
}

/** Rounds of listeners that cause changes, before the rest waits for a microtask. */
const ROUNDS_MAX = 100;

/** Something with listeners that are told once per round, however often it changed. */
export interface Notifiable {
  tellListeners(): void;
}

/**
 * Tells listeners after all changes of a move are in place. What a listener causes (it may open, replace and close
 * views) is told in the next round, never in the middle of this one.
 */
export class Notifier {
  #changed = new Set<Notifiable>();
  #telling = false;
  #held = 0;

  mark(notifiable: Notifiable): void {
    this.#changed.add(notifiable);
    if (this.#held === 0) this.#tell();
  }

  /** Runs `work`; whatever it marks is told when it is done. */
  batch(work: () => void): void {
    this.#held++;
    try {
      work();
    } finally {
      this.#held--;
      if (this.#held === 0) this.#tell();
    }
  }

  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let round = 0; this.#changed.size > 0 && round < ROUNDS_MAX; round++) {
      const now = this.#changed;
      this.#changed = new Set();
      for (const notifiable of now) notifiable.tellListeners();
    }
    this.#telling = false;
    if (this.#changed.size > 0) queueMicrotask(() => this.#tell());
  }
}
