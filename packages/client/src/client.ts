import type { SluiceError } from '@sluice/core/errors';
import type { Explanation } from '@sluice/core/explanation';
import type { Position } from '@sluice/core/position';
import type { Move, ServerMessage, Welcome } from '@sluice/core/wire';
import type { AnyRow, QueryRef, SqlRef } from './api.js';
import { Connection, type ConnectionHandler, type Token } from './connection.js';
import { clientError, fromWire } from './errors.js';
import { explain } from './explain.js';
import { Horizon } from './horizon.js';
import { Listeners, Notifier, type Notifiable } from './listeners.js';
import { LiveView, type LiveState } from './live-view.js';
import type { Options } from './options.js';
import { checkSize, toRequest } from './request.js';
import { Reaches, type ReachOptions } from './reaches.js';
import { socketConstructor, socketUrl } from './socket.js';
import { Subscriptions } from './subscriptions.js';
import { Views, type Trouble } from './views.js';

/**
 * `connecting` and `offline` alternate until the client is `online`; `failed` means that trying again would not help
 * (`error` says why) until `authenticate` is called; `closed` is for ever.
 */
export type ClientStatus = 'connecting' | 'online' | 'offline' | 'failed' | 'closed';

export interface LiveOptions<Row = AnyRow> {
  /** A live view whose rows are likely to be rows of the new one, too. */
  readonly like?: LiveView<Row>;
}

/**
 * One connection to a server and all that is live over it. Made by `createClient`, which connects at once.
 *
 * A move is applied in this order: the rows of all views; the status of all views; the client's position; the
 * positions that were waited for; then listeners, each once. What a listener does counts for the next round.
 */
export class Client implements Notifiable {
  readonly #options: Options;
  readonly #horizon = new Horizon();
  readonly #notifier = new Notifier();
  readonly #listeners: Listeners<Client>;
  readonly #connection: Connection;
  readonly #views: Views;
  readonly #subscriptions: Subscriptions;
  readonly #reaches: Reaches;
  readonly #stopWakeups: () => void;
  readonly #liveViews = new Set<LiveView<unknown>>();
  #status: ClientStatus = 'connecting';
  #error: SluiceError | null = null;
  #wasOnline = false;
  readonly #warned = new Set<string>();
  /** Until the first move of a connection, what was current on the one before may still be shown as such. */
  #fresh = true;
  /** After an announced end, until views are current again or the time is up. */
  #cancelGrace: (() => void) | null = null;

  constructor(options: Options) {
    this.#options = options;
    const { clock, random, backoff } = options;
    this.#listeners = new Listeners(options.listenersMax, options.onListenerError);
    this.#connection = new Connection({
      ...options,
      url: socketUrl(options.url),
      constructSocket: () => socketConstructor(options.WebSocket),
      handler: this.#handler(),
    });
    this.#views = new Views(options.values, options.stagedBytesMax);
    const send = this.#connection.send.bind(this.#connection);
    const { keepMs, subscriptionsMax } = options;
    this.#subscriptions = new Subscriptions({
      clock,
      random,
      backoff,
      keepMs,
      subscriptionsMax,
      send,
      horizon: this.#horizon,
      views: this.#views,
    });
    this.#reaches = new Reaches(clock, options.reachesMax, send);
    this.#stopWakeups = options.wakeups((wakeup) => this.#connection.wake(wakeup));
    queueMicrotask(() => this.#connection.restart());
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** Why the client is `offline` or `failed`. */
  get error(): SluiceError | null {
    return this.#error;
  }

  /** Up to where all current views are; null before the first move. Never goes back within an epoch. */
  get position(): Position | null {
    return this.#horizon.position;
  }

  /**
   * Opens a live view of a query; equal queries share one subscription.
   * @param options `like`: a live view many of whose rows are likely to be rows of this one: only what differs travels.
   * @throws SluiceError `param_invalid`, `args_invalid`, `request_too_large`, `too_many_subscriptions`, `client_closed`.
   */
  live<Row = AnyRow>(ref: QueryRef<Row> | SqlRef, options: LiveOptions<Row> = {}): LiveView<Row> {
    if (this.#status === 'closed') throw clientError('client_closed');
    const { listenersMax, onListenerError, requestBytesMax } = this.#options;
    const live = new LiveView<Row>(
      {
        closed: () => this.#liveViews.delete(held),
        subscriptions: this.#subscriptions,
        horizon: this.#horizon,
        notifier: this.#notifier,
        listenersMax,
        onListenerError,
        requestBytesMax,
      },
      ref,
      options.like,
    );
    // Its rows are nobody's concern here: they are read, never put in.
    const held = live as unknown as LiveView<unknown>;
    this.#liveViews.add(held);
    return live;
  }

  /** Those that are open now, in the order in which they were opened: for tools that show what a page holds. */
  get liveViews(): readonly LiveView<unknown>[] {
    return [...this.#liveViews];
  }

  /**
   * A text that is equal for equal queries, whatever the order of the members of their arguments.
   * @throws SluiceError `param_invalid`, `args_invalid`, `request_too_large`.
   */
  keyOf(ref: QueryRef<unknown> | SqlRef): string {
    return toRequest(ref, this.#options.requestBytesMax).key;
  }

  /**
   * What is known of a query without opening it: its state while some live view of it is open or was closed less than
   * `keepMs` ago, else `loading`. The same object as `state` of a live view of that query, until something changes.
   * @param key of `keyOf`.
   */
  peek<Row = AnyRow>(key: string): LiveState<Row> {
    return this.#subscriptions.peek(key) as LiveState<unknown> as LiveState<Row>;
  }

  /**
   * Resolves when all current views are at or past the target.
   * @param target a position, an LSN as Postgres prints it, or a commit token.
   * @throws (rejects) SluiceError `reached_timeout`, `reached_aborted`, `too_many_reaches`, or the server's refusal.
   */
  async reached(target: Position | string, options: ReachOptions = {}): Promise<void> {
    if (this.#status === 'closed') throw clientError('client_closed');
    if (this.#status === 'failed' && this.#error) throw this.#error;
    checkSize(target, this.#options.requestBytesMax);
    return this.#reaches.wait(target, options, this.#connection.isOpen);
  }

  /**
   * How the server keeps a query live, why so, and what that has cost it: for tools and developers. Asked by HTTP, and
   * answered by servers that are configured to (`explain`).
   * @throws (rejects) SluiceError `explain_off`, `connect_failed`, and what a live view of the query would have as error.
   */
  async explain(ref: QueryRef<unknown> | SqlRef): Promise<Explanation> {
    if (this.#status === 'closed') throw clientError('client_closed');
    const { url, requestBytesMax } = this.#options;
    const { request } = toRequest(ref, requestBytesMax);
    return explain(socketUrl(url), await this.#connection.fetchToken(), request);
  }

  /** @param listener runs after `status` has changed. @returns what ends it. */
  subscribe(listener: (client: Client) => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Renews the token, on the open connection or by connecting. After `failed` it is how to try again.
   * @param token replaces the one, or the function, that `createClient` was given.
   */
  async authenticate(token?: Token): Promise<void> {
    if (this.#status === 'closed') throw clientError('client_closed');
    return this.#connection.authenticate(token);
  }

  /** Ends the connection and all live views; they become the error `client_closed`. */
  close(): void {
    if (this.#status === 'closed') return;
    const error = clientError('client_closed');
    this.#stopWakeups();
    this.#cancelGrace?.();
    this.#connection.stop();
    this.#notifier.batch(() => {
      this.#subscriptions.disconnected();
      this.#subscriptions.close(error);
      this.#reaches.failAll(error);
      this.#become('closed', null);
    });
    this.#listeners.clear();
  }

  /** For the notifier. */
  tellListeners(): void {
    this.#listeners.tell(this);
  }

  #handler(): ConnectionHandler {
    return {
      position: () => this.#horizon.position,
      connecting: () => {
        this.#subscriptions.connecting();
        this.#become('connecting', this.#error);
      },
      opened: (welcome) => this.#opened(welcome),
      received: (message, bytes) => this.#notifier.batch(() => this.#receive(message, bytes)),
      lost: (error, announced) => this.#lost(error, announced),
      failed: (error) => this.#failed(error),
    };
  }

  #opened(welcome: Welcome): void {
    this.#fresh = true;
    this.#wasOnline = true;
    this.#subscriptions.connected(welcome.seed);
    this.#reaches.connected();
    this.#become('online', null);
  }

  #receive(message: ServerMessage, bytes: number): void {
    switch (message.kind) {
      case 'subscribed':
        return this.#subscriptions.subscribed(message);
      case 'rows':
      case 'delta':
      case 'difference': {
        const trouble = this.#views.stage(message, bytes);
        return trouble ? this.#mend(trouble) : undefined;
      }
      case 'move':
        return this.#move(message);
      case 'gear':
        return this.#views.regear(message);
      case 'error':
        return this.#refused(message);
    }
  }

  #move(move: Move): void {
    if (!this.#horizon.accepts(move.position)) {
      // Not from inside the batch: the connection ends, and with it what is staged.
      queueMicrotask(() => this.#connection.reject(clientError('position_older')));
      return;
    }
    const troubles = this.#views.move(move);
    if (this.#fresh) {
      this.#fresh = false;
      this.#cancelGrace?.();
      this.#cancelGrace = null;
      this.#subscriptions.leave();
    }
    this.#horizon.advance(move.position);
    troubles.forEach((trouble) => this.#mend(trouble));
    this.#subscriptions.confirmed(move.current ?? []);
    this.#subscriptions.replaced(move.replaced ?? []);
    this.#reaches.reached(move.reached ?? []);
  }

  #mend(trouble: Trouble): void {
    if (trouble.kind === 'broken') this.#subscriptions.renew(trouble.view);
    else this.#subscriptions.abandon(trouble.view, trouble.error);
  }

  #refused({ id, reach, error }: Extract<ServerMessage, { kind: 'error' }>): void {
    if (id !== undefined) this.#subscriptions.refused(id, fromWire(error));
    if (reach !== undefined) this.#reaches.refused(reach, fromWire(error));
  }

  /** An announced end leaves the screen as it is, for as long as a new connection may take. */
  #lost(error: SluiceError, announced: boolean): void {
    this.#notifier.batch(() => {
      this.#subscriptions.disconnected();
      if (announced && !this.#cancelGrace) {
        const { clock, graceMs } = this.#options;
        this.#cancelGrace = clock.after(graceMs, () => this.#endGrace());
      }
      if (!this.#cancelGrace) this.#subscriptions.leave();
      this.#become('offline', error);
    });
    if (!this.#wasOnline && !announced) this.#warn(error);
  }

  #warn(error: SluiceError): void {
    if (this.#warned.has(error.code)) return;
    this.#warned.add(error.code);
    this.#options.onConnectError(error);
  }

  #endGrace(): void {
    this.#cancelGrace = null;
    this.#notifier.batch(() => this.#subscriptions.leave());
  }

  #failed(error: SluiceError): void {
    this.#notifier.batch(() => {
      this.#subscriptions.disconnected();
      this.#subscriptions.failed(error);
      this.#reaches.failAll(error);
      this.#become('failed', error);
    });
    // On a server that renders pages nothing is wrong.
    if (error.code !== 'url_relative') this.#warn(error);
  }

  #become(status: ClientStatus, error: SluiceError | null): void {
    this.#error = error;
    if (status === this.#status || this.#status === 'closed') return;
    this.#status = status;
    this.#notifier.mark(this);
  }
}
