import { parseLsn } from '@sluice/core/lsn';
import { parsePosition } from '@sluice/core/position';
import type { WireError } from '@sluice/core/wire';
import type { Clock } from './clock.js';
import { sessionsError } from './errors.js';
import type { SessionLimits } from './limits.js';
import type { Mover } from './mover.js';
import type { Epochs, Spot } from './spot.js';
import type { Tokens } from './tokens.js';

const TOKEN = /^token-[\w-]{1,100}$/;

interface ReachContext {
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly epochs: Epochs;
  readonly tokens: Tokens;
}

interface ReachListener {
  failed(id: number, error: WireError): void;
  /** A token has become a position. */
  arrived(): void;
}

/** The `reach` requests of one connection: targets become positions, and have an end. */
export class Reaches {
  readonly #context: ReachContext;
  readonly #mover: Mover;
  readonly #listener: ReachListener;
  /** What ends each request: its timer, and its wait for a token. */
  readonly #open = new Map<number, () => void>();

  constructor(context: ReachContext, mover: Mover, listener: ReachListener) {
    this.#context = context;
    this.#mover = mover;
    this.#listener = listener;
  }

  add(id: number, target: string): void {
    const { limits, clock, tokens } = this.#context;
    if (this.#open.size >= limits.reachesMax) {
      this.#listener.failed(id, sessionsError('reach_too_many').toWire());
      return;
    }
    this.done([id]);
    let stopWaiting = (): void => undefined;
    if (TOKEN.test(target)) {
      const seen = tokens.find(target);
      if (seen === null) stopWaiting = tokens.wait(target, (at) => this.#arrived(id, at));
      else this.#mover.reach(id, seen);
    } else {
      const at = this.#read(target);
      if (typeof at !== 'bigint') {
        this.#listener.failed(id, at);
        return;
      }
      this.#mover.reach(id, at);
    }
    const stopTimer = clock.after(limits.reachMs, () => {
      this.done([id]);
      this.#mover.forgetReach(id);
      this.#listener.failed(id, sessionsError('reach_timeout').toWire());
    });
    this.#open.set(id, () => {
      stopTimer();
      stopWaiting();
    });
  }

  /** These have been told. */
  done(ids: readonly number[]): void {
    for (const id of ids) {
      this.#open.get(id)?.();
      this.#open.delete(id);
    }
  }

  close(): void {
    this.done([...this.#open.keys()]);
  }

  #arrived(id: number, at: Spot): void {
    this.#mover.reach(id, at);
    this.#listener.arrived();
  }

  #read(target: string): Spot | WireError {
    const lsn = parseLsn(target);
    if (lsn !== null) return this.#context.epochs.spot(lsn);
    if (parsePosition(target) === null) return sessionsError('reach_target_invalid').toWire();
    const at = this.#context.epochs.read(target);
    return at !== null && this.#context.epochs.isCurrent(at)
      ? at
      : sessionsError('position_of_another_epoch').toWire();
  }
}
