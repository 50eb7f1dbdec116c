import type { Grant } from '../auth/auth.js';
import type { Clock } from '../sessions/clock.js';

/** Timers of more than 2^31 ms fire at once; longer waits are cut into pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Ends a grant's rights at the very moment it expires, not at the next reconnect. */
export class Expiry {
  readonly #clock: Clock;
  readonly #wallMs: () => number;
  readonly #expired: () => void;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, wallMs: () => number, expired: () => void) {
    this.#clock = clock;
    this.#wallMs = wallMs;
    this.#expired = expired;
  }

  set(grant: Grant): void {
    this.stop();
    const { expiresAtMs } = grant;
    if (expiresAtMs === null) return;
    const leftMs = expiresAtMs - this.#wallMs();
    if (leftMs <= 0) this.#expired();
    else this.#cancel = this.#clock.after(Math.min(leftMs, TIMER_MS_MAX), () => this.set(grant));
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
