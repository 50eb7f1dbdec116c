import type { Clock } from './clock.js';

/** How long a connection has to answer when the platform says that the network has changed. */
const PROBE_MS = 3_000;

/**
 * Whether the other side is still there. After one interval of silence it is asked, after two it is dead.
 * Asked for by a `probe`, it is dead after three seconds.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #events: { readonly ping: () => void; readonly dead: () => void };
  #heardAtMs: number;
  #pinged = false;
  #cancel: () => void;
  #cancelProbe: (() => void) | null = null;

  constructor(
    clock: Clock,
    intervalMs: number,
    events: { readonly ping: () => void; readonly dead: () => void },
  ) {
    this.#clock = clock;
    this.#intervalMs = Math.max(1, intervalMs);
    this.#events = events;
    this.#heardAtMs = clock.now();
    this.#cancel = clock.after(this.#intervalMs, () => this.#look());
  }

  heard(): void {
    this.#heardAtMs = this.#clock.now();
    this.#pinged = false;
    this.#cancelProbe?.();
    this.#cancelProbe = null;
  }

  /** Asks at once. */
  probe(): void {
    if (this.#cancelProbe) return;
    this.#cancelProbe = this.#clock.after(Math.min(PROBE_MS, this.#intervalMs), () => this.#events.dead());
    this.#events.ping();
  }

  stop(): void {
    this.#cancel();
    this.#cancelProbe?.();
  }

  /** A timer that sleeps through (a suspended laptop) finds more than two intervals gone: it asks before it gives up. */
  #look(): void {
    const quietMs = this.#clock.now() - this.#heardAtMs;
    if (quietMs >= 2 * this.#intervalMs && this.#pinged) return this.#events.dead();
    let nextMs = this.#intervalMs - quietMs;
    if (nextMs <= 0) {
      if (!this.#pinged) this.#events.ping();
      this.#pinged = true;
      nextMs = Math.max(2 * this.#intervalMs - quietMs, this.#intervalMs / 2);
    }
    this.#cancel = this.#clock.after(nextMs, () => this.#look());
  }
}
