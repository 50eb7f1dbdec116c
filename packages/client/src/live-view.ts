import type { SluiceError } from '@sluice/core/errors';
import type { Position } from '@sluice/core/position';
import type { Shape } from '@sluice/core/shape';
import type { RowKey } from '@sluice/core/value';
import type { AnyRow, QueryRef, SqlRef } from './api.js';
import { clientError } from './errors.js';
import type { Horizon } from './horizon.js';
import { Listeners, type ListenerErrorHandler, type Notifiable, type Notifier } from './listeners.js';
import { nextPhase, samePhase, type Phase, type PhaseEvent, type Status } from './phase.js';
import { toRequest } from './request.js';
import type { Holder, Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

/** Where a live view stands and what it shows, as one immutable value: the same object until something changes. */
export type LiveState<Row = AnyRow> = Phase & { readonly rows: readonly Row[] };

export interface LiveViewParts {
  readonly subscriptions: Subscriptions;
  readonly horizon: Horizon;
  readonly notifier: Notifier;
  readonly listenersMax: number;
  readonly requestBytesMax: number;
  /** Called once, when the live view is closed. */
  readonly closed: () => void;
  readonly onListenerError: ListenerErrorHandler;
}

export interface CloseOptions {
  /** Default true: the subscription is kept for `keepMs`. */
  readonly keep?: boolean;
}

interface Ready<L> {
  readonly promise: Promise<L>;
  settled: boolean;
  readonly resolve: (live: L) => void;
  readonly reject: (error: SluiceError) => void;
}

/**
 * A query's result, kept current. Made by `client.live`; `close` it when it is no longer shown.
 * All that it shows changes at a move, together with every other live view of the client, before any listener runs.
 */
export class LiveView<Row = AnyRow> implements Holder, Notifiable {
  readonly #parts: LiveViewParts;
  readonly #listeners: Listeners<LiveView<Row>>;
  #target: Subscription;
  /** Whose rows are shown: the target's, or while switching those of the one that it replaces. */
  #shown: Subscription;
  #phase: Phase;
  #state: LiveState<Row> | null = null;
  #ready: Ready<LiveView<Row>>;
  #closed = false;
  #ref: QueryRef<Row> | SqlRef;

  constructor(parts: LiveViewParts, ref: QueryRef<Row> | SqlRef, like?: LiveView<Row>) {
    this.#parts = parts;
    this.#ref = ref;
    this.#listeners = new Listeners(parts.listenersMax, parts.onListenerError);
    const request = toRequest(ref, parts.requestBytesMax);
    this.#target = parts.subscriptions.open(request, like ? { like: like.#shown } : {});
    this.#target.holders.add(this);
    this.#shown = this.#target;
    this.#phase = this.#target.phase;
    this.#ready = newReady();
    this.#settle();
  }

  /** The query: of `client.live`, or of the last `replace`. */
  get ref(): QueryRef<Row> | SqlRef {
    return this.#ref;
  }

  /** `loading`, `partial`, `current`, `switching`, `behind`, `stale` or `error`; see `Phase`. */
  get status(): Status {
    return this.#phase.status;
  }

  /** The rows, in the query's order. The same array until a row changes; the same object for an unchanged row. */
  get rows(): readonly Row[] {
    return this.#shown.rows as readonly unknown[] as readonly Row[];
  }

  /** Status, rows, and what belongs to the status, as one value. */
  get state(): LiveState<Row> {
    const target = this.#target;
    // The same object for all live views of a query, and for `client.peek`.
    if (target === this.#shown && samePhase(target.phase, this.#phase)) return target.state as LiveState<Row>;
    const rows = this.rows;
    if (this.#state?.rows !== rows) this.#state = { ...this.#phase, rows };
    return this.#state;
  }

  /** While the status is `error`. */
  get error(): SluiceError | null {
    return this.#phase.status === 'error' ? this.#phase.error : null;
  }

  /** The position at which the rows are the answer; null when they are none. */
  get position(): Position | null {
    if (this.#phase.status === 'current') return this.#parts.horizon.position;
    return 'position' in this.#phase ? this.#phase.position : null;
  }

  /**
   * Resolves with this view when its query has its first answer; rejects when that is an error, or when the view is
   * closed before. A refusal that the client tries again does neither. After `replace` it is about the new query.
   */
  get ready(): Promise<LiveView<Row>> {
    return this.#ready.promise;
  }

  /** How the server maintains it; null before it has answered. Where that changes, listeners are told. */
  get gear(): 'incremental' | 'rerun' | null {
    return this.#target.view?.gear ?? null;
  }

  /** Why it is not maintained incrementally, in words. */
  get reason(): string | null {
    return this.#target.view?.reason ?? null;
  }

  /** Names and types of the columns; null before the server has answered. */
  get shape(): Shape | null {
    return this.#shown.readable?.shape ?? null;
  }

  /** The key that a row of `rows` keeps as long as it exists. */
  keyOf(row: Row): RowKey | undefined {
    return typeof row === 'object' && row !== null ? this.#shown.readable?.keyOf(row) : undefined;
  }

  /**
   * @param listener runs after a move, or a change of status, that changed what this view shows; not at once.
   * @returns what ends it.
   * @throws SluiceError `too_many_listeners`.
   */
  subscribe(listener: (live: LiveView<Row>) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Shows another query in its place. The old rows stay, `switching`, until the new ones are there. */
  replace(ref: QueryRef<Row> | SqlRef): void {
    if (this.#closed) throw clientError('view_closed');
    const { subscriptions, notifier } = this.#parts;
    const old = this.#target;
    const alone = old === this.#shown && old.holders.size === 1;
    const next = subscriptions.open(
      toRequest(ref, this.#parts.requestBytesMax),
      alone ? { like: old, replaces: old } : {},
    );
    this.#ref = ref;
    if (next === old) return;
    next.holders.add(this);
    this.#target = next;
    if (old !== this.#shown) this.#leave(old);
    if (this.#ready.settled) this.#ready = newReady();
    notifier.batch(() => {
      this.#become(nextPhase(this.#phase, { kind: 'replaced' }));
      if (next.phase.status !== 'loading' || this.#phase.status !== 'switching') this.#arrive(next.phase);
    });
  }

  /**
   * Ends it. What it shows stays as it is; its listeners hear no more.
   * @param options `keep: false`: the query is not coming back soon; its subscription, unless others hold it, ends now.
   */
  close(options: CloseOptions = {}): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.closed();
    this.#listeners.clear();
    this.#ready.reject(clientError('view_closed'));
    this.#leave(this.#target, options.keep);
    if (this.#shown !== this.#target) this.#leave(this.#shown, options.keep);
  }

  /** `using live = client.live(…)` closes it at the end of the block, on platforms that know `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** For the subscription. */
  receive(from: Subscription, event: PhaseEvent): void {
    if (from !== this.#target || this.#closed) return;
    const next = nextPhase(this.#phase, event);
    if (next.status === 'switching') this.#become(next);
    else this.#arrive(next);
  }

  /** For the subscription. */
  rowsChanged(): void {
    if (!this.#closed) this.#parts.notifier.mark(this);
  }

  /** For the notifier. */
  tellListeners(): void {
    this.#listeners.tell(this);
  }

  /** The target has something to show: the one that it replaces is let go. */
  #arrive(phase: Phase): void {
    const old = this.#shown;
    if (old !== this.#target) {
      this.#shown = this.#target;
      this.#leave(old);
      this.#parts.notifier.mark(this);
    }
    this.#become(phase);
  }

  #become(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#state = null;
    this.#settle();
    this.#parts.notifier.mark(this);
  }

  #settle(): void {
    const phase = this.#phase;
    if (phase.status === 'error' && !phase.retrying) this.#ready.reject(phase.error);
    else if (phase.status === 'current' || phase.status === 'behind') this.#ready.resolve(this);
    else return;
    this.#ready.settled = true;
  }

  #leave(subscription: Subscription, keep = true): void {
    subscription.holders.delete(this);
    this.#parts.subscriptions.release(subscription, keep);
  }
}

function newReady<L>(): Ready<L> {
  let resolve: (live: L) => void = () => undefined;
  let reject: (error: SluiceError) => void = () => undefined;
  const promise = new Promise<L>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever does not wait for it learns of the error by the status.
  promise.catch(() => undefined);
  return { promise, settled: false, resolve, reject };
}
