import type { SluiceError } from '@sluice/core/errors';
import type { ClientMessage, Resume, Subscribe, Subscribed, ViewId } from '@sluice/core/wire';
import { backoffMs, type Backoff } from './backoff.js';
import type { Clock } from './clock.js';
import { clientError, OF_SCHEMA, WITHDRAWING } from './errors.js';
import type { Horizon } from './horizon.js';
import type { NamedRequest } from './request.js';
import { resumeOf } from './resume.js';
import { LOADING_STATE, Subscription, type SubscriptionState } from './subscription.js';
import type { View } from './view.js';
import type { Views } from './views.js';

/** Other subscriptions that a new one has to do with. */
export interface Kin {
  /** One of whose rows many are likely to be rows of the new one, too: only the difference travels. */
  readonly like?: Subscription;
  /** The one whose place it takes, which the server ends when the new one is current. */
  readonly replaces?: Subscription;
}

export interface SubscriptionsParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly horizon: Horizon;
  readonly views: Views;
  readonly keepMs: number;
  readonly subscriptionsMax: number;
  /** Sends on the present connection; only called between `connected` and `disconnected`. */
  readonly send: (message: ClientMessage) => void;
}

/**
 * The subscriptions of a client: shared by equal queries, kept a while after the last live view has closed,
 * and made anew on each connection. Contract with the caller: `connected` after the server's hello; each answer of
 * the server goes to `subscribed` or `refused`; what views say goes to `views`.
 */
export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  /** Those that a new live view of the same query joins. */
  readonly #shared = new Map<string, Subscription>();
  /** Those without holders, the longest kept first. */
  readonly #kept = new Set<Subscription>();
  /** Every one that is not over, shared or not. */
  readonly #all = new Set<Subscription>();
  /** By their ids on the present connection. */
  readonly #onWire = new Map<number, Subscription>();
  /** Ids of subscribes that the server has not answered. */
  readonly #unanswered = new Set<number>();
  /** The seed of row digests on this connection; null while there is none. */
  /** Why the client has given up: what is asked meanwhile shows it. */
  #failure: SluiceError | null = null;
  #seed: string | null = null;
  #nextId = 1;

  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#all.size;
  }

  /**
   * Joins the subscription of an equal query, or makes one. At the bound, what is only kept makes room.
   * @throws SluiceError `too_many_subscriptions`.
   */
  open({ key, request }: NamedRequest, kin: Kin = {}): Subscription {
    const shared = this.#shared.get(key);
    if (shared) {
      this.#unkeep(shared);
      // Who asks again does not wait for the next attempt.
      if (shared.replanning && shared.cancelRetry) this.#subscribe(shared);
      return shared;
    }
    if (this.#all.size >= this.#parts.subscriptionsMax) this.#endLongestKept();
    const subscription = new Subscription(key, request);
    this.#shared.set(key, subscription);
    this.#all.add(subscription);
    if (this.#failure) this.#refuse(subscription, this.#failure);
    else this.#subscribe(subscription, kin);
    return subscription;
  }

  /** What is known of a query by now. */
  peek(key: string): SubscriptionState {
    return this.#shared.get(key)?.state ?? LOADING_STATE;
  }

  /** A holder is gone. After the last one the subscription lingers, if it is to be kept. */
  release(subscription: Subscription, keep = true): void {
    if (subscription.holders.size > 0 || !this.#all.has(subscription)) return;
    this.#unkeep(subscription);
    const shared = this.#shared.get(subscription.key) === subscription;
    if (!keep || !shared || this.#parts.keepMs === 0) {
      this.#end(subscription);
      return;
    }
    this.#kept.add(subscription);
    subscription.cancelLinger = this.#parts.clock.after(this.#parts.keepMs, () => this.#end(subscription));
  }

  connected(seed: string): void {
    this.#seed = seed;
    this.#parts.views.connected(seed);
    for (const subscription of this.#all) this.#subscribe(subscription);
  }

  /** Everything the server knew of us is forgotten; the rows stay. */
  disconnected(): void {
    this.#seed = null;
    this.#onWire.clear();
    this.#unanswered.clear();
    for (const subscription of this.#all) {
      subscription.id = null;
      subscription.cancelRetry?.();
      subscription.cancelRetry = null;
    }
    this.#parts.views.disconnected();
  }

  /** Marks as stale what is shown as current and is not confirmed on this connection. */
  leave(): void {
    const position = this.#parts.horizon.position;
    for (const subscription of this.#all) {
      if (subscription.view && subscription.view.standing.kind !== 'pending') continue;
      subscription.happen({ kind: 'left', position });
    }
  }

  subscribed(message: Subscribed): void {
    this.#unanswered.delete(message.id);
    const subscription = this.#onWire.get(message.id);
    if (subscription) {
      subscription.replanning = false;
      const { view } = subscription;
      if (view && view.id !== message.view) {
        subscription.happen({ kind: 'left', position: this.#parts.horizon.position });
      }
      const error = this.#parts.views.hold(subscription, message);
      if (error) {
        this.#unsubscribe(subscription);
        this.#fail(subscription, error);
      }
    }
    this.#parts.views.sweep(this.#unanswered);
  }

  /** The server ends a subscription, or never began it; others go on. */
  refused(id: number, error: SluiceError): void {
    const wasAnswered = !this.#unanswered.delete(id);
    const subscription = this.#onWire.get(id);
    if (subscription) {
      if (wasAnswered && OF_SCHEMA.test(error.code)) subscription.replanning = true;
      this.#offWire(subscription);
      forsakeUnheld(subscription.view);
      this.#fail(subscription, error);
    }
    this.#parts.views.sweep(this.#unanswered);
  }

  /** The views are current with a move. */
  confirmed(views: readonly ViewId[]): void {
    const nowMs = this.#parts.clock.now();
    for (const view of views)
      for (const subscription of this.#parts.views.holdersOf(view)) subscription.currentSinceMs ??= nowMs;
  }

  /** The subscriptions that others have replaced end; one that is still shown somewhere is made anew. */
  replaced(ids: readonly number[]): void {
    for (const id of ids) {
      const subscription = this.#onWire.get(id);
      if (!subscription) continue;
      this.#offWire(subscription);
      if (subscription.holders.size === 0) this.#end(subscription);
      else this.#renew([subscription]);
    }
  }

  /** The chain of a view is broken: all who hold it ask for it again, with what they have. */
  renew(view: View<Subscription>): void {
    const holders = [...view.holders].filter((subscription) => subscription.id !== null);
    for (const subscription of holders) this.#unsubscribe(subscription);
    this.#renew(holders);
  }

  /** Until the server has answered anew, what they show is a state of its own. */
  #renew(subscriptions: readonly Subscription[]): void {
    for (const subscription of subscriptions) {
      const view = subscription.view;
      forsakeUnheld(view);
      subscription.happen({ kind: 'left', position: this.#parts.horizon.position });
      this.#subscribe(subscription);
    }
  }

  /** What a view's subscriptions cannot go on with: they end on the server and show the error. */
  abandon(view: View<Subscription>, error: SluiceError): void {
    for (const subscription of view.holders) {
      this.#unsubscribe(subscription);
      this.#fail(subscription, error);
    }
  }

  /** The connection is refused for good; what is shown waits for another token. */
  failed(error: SluiceError): void {
    this.#failure = error;
    for (const subscription of this.#all) {
      this.#refuse(subscription, error);
      if (!WITHDRAWING.has(error.code)) continue;
      subscription.drop();
      this.#parts.views.release(subscription, null);
    }
  }

  /** A connection is tried (again). */
  connecting(): void {
    this.#failure = null;
  }

  #refuse(subscription: Subscription, error: SluiceError): void {
    const position = this.#parts.horizon.position;
    subscription.happen({ kind: 'failed', error, position, retrying: false });
  }

  /** The client is closed. */
  close(error: SluiceError): void {
    const position = this.#parts.horizon.position;
    for (const subscription of this.#all) {
      subscription.happen({ kind: 'failed', error, position, retrying: false });
      this.#end(subscription);
    }
  }

  #subscribe(subscription: Subscription, { like, replaces }: Kin = {}): void {
    subscription.cancelRetry?.();
    subscription.cancelRetry = null;
    if (this.#wasStable(subscription)) subscription.refusals = 0;
    subscription.currentSinceMs = null;
    if (this.#seed === null || subscription.id !== null || this.#isOver(subscription)) return;
    const id = this.#nextId++;
    const resume = this.#describe(subscription, like, this.#seed);
    const message: Subscribe = {
      kind: 'subscribe',
      id,
      ...subscription.request,
      ...(typeof replaces?.id === 'number' ? { replaces: replaces.id } : {}),
      ...(resume ? { resume } : {}),
    };
    subscription.id = id;
    this.#onWire.set(id, subscription);
    this.#unanswered.add(id);
    this.#parts.send(message);
  }

  /**
   * What the server may answer with a difference to: the rows from before, which nothing changes until it has
   * answered, or a copy of those of a subscription that is like it.
   */
  #describe(subscription: Subscription, like: Subscription | undefined, seed: string): Resume | null {
    const own = subscription.view;
    const old = typeof like?.id === 'number' ? like.view : null;
    subscription.described = null;
    if (own && !own.answered) subscription.described = own.rows;
    else if (!own && old) subscription.described = old.rows.copy();
    const origin = own ?? old;
    return origin && subscription.described && resumeOf(origin, subscription.described, seed);
  }

  /** Shows an error; one that may pass is tried again, another makes way for a new subscription of that query. */
  #fail(subscription: Subscription, error: SluiceError): void {
    const position = this.#parts.horizon.position;
    // The query still holds, under a plan of its own for the new schema: nothing that a user should see as an error.
    const replanned = error.code === 'query_replanned';
    subscription.replanning = replanned || (subscription.replanning && !WITHDRAWING.has(error.code));
    const retrying = error.retry || subscription.replanning;
    if (replanned) subscription.happen({ kind: 'left', position });
    else subscription.happen({ kind: 'failed', error, position, retrying });
    if (WITHDRAWING.has(error.code)) subscription.drop();
    if (!retrying) {
      if (this.#shared.get(subscription.key) === subscription) this.#shared.delete(subscription.key);
      this.#parts.views.release(subscription, this.#lastUnanswered());
      return;
    }
    // What is refused again as soon as it is there waits longer each time, as what is refused at once does.
    if (replanned || this.#wasStable(subscription)) subscription.refusals = 0;
    subscription.currentSinceMs = null;
    const waitMs = backoffMs(this.#parts.backoff, subscription.refusals++, this.#parts.random);
    const delayMs = replanned && subscription.refusals === 1 ? 0 : waitMs;
    subscription.cancelRetry = this.#parts.clock.after(delayMs, () => this.#subscribe(subscription));
  }

  #wasStable({ currentSinceMs }: Subscription): boolean {
    const { backoff, clock } = this.#parts;
    return currentSinceMs !== null && clock.now() - currentSinceMs >= backoff.stableMs;
  }

  /** Refused for good, and still shown: it is not asked for again. */
  #isOver(subscription: Subscription): boolean {
    return subscription.phase.status === 'error' && this.#shared.get(subscription.key) !== subscription;
  }

  #endLongestKept(): void {
    const [longest] = this.#kept;
    if (!longest) throw clientError('too_many_subscriptions');
    this.#end(longest);
  }

  #unkeep(subscription: Subscription): void {
    subscription.cancelLinger?.();
    subscription.cancelLinger = null;
    this.#kept.delete(subscription);
  }

  #end(subscription: Subscription): void {
    this.#unkeep(subscription);
    subscription.cancelRetry?.();
    if (this.#shared.get(subscription.key) === subscription) this.#shared.delete(subscription.key);
    this.#all.delete(subscription);
    this.#unsubscribe(subscription);
    this.#parts.views.release(subscription, this.#lastUnanswered());
  }

  #unsubscribe(subscription: Subscription): void {
    if (subscription.id === null) return;
    const id = subscription.id;
    this.#offWire(subscription);
    if (this.#seed !== null) this.#parts.send({ kind: 'unsubscribe', id });
  }

  #offWire(subscription: Subscription): void {
    if (subscription.id !== null) this.#onWire.delete(subscription.id);
    subscription.id = null;
  }

  #lastUnanswered(): number | null {
    return this.#unanswered.size === 0 ? null : Math.max(...this.#unanswered);
  }
}

/** The server sends nothing more for a view that none of its subscriptions on the wire names. */
function forsakeUnheld(view: View<Subscription> | null): void {
  if (view && ![...view.holders].some((holder) => holder.id !== null)) view.forsake();
}
