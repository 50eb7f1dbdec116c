import { SluiceError } from '@sluice/core/errors';
import type { Shape } from '@sluice/core/shape';
import type { Reach, ServerMessage, Subscribe, Unsubscribe, WireError } from '@sluice/core/wire';
import { CLOSE } from '@sluice/core/wire';
import { principalKey } from '../auth/auth.js';
import type { Principal, QuerySpec } from '../views/port.js';
import type { Clock } from './clock.js';
import type { SessionCounters } from './counters.js';
import { encode } from './encode.js';
import { sessionsError } from './errors.js';
import type { Feed } from './feed.js';
import type { SessionLimits } from './limits.js';
import { Member, type Holder } from './member.js';
import type { Lane } from './members.js';
import { Mover, type Next } from './mover.js';
import { Reaches } from './reaches.js';
import { shapeFor, type Bound } from './resolver.js';
import type { Epochs, Spot } from './spot.js';
import type { Tokens } from './tokens.js';
import type { Turns } from './turns.js';

/** A connection as sessions see it: no socket is known here. */
export interface Sink {
  /** Hands over the messages of one turn, in order, as one write. */
  send(messages: readonly Uint8Array[]): void;
  /** What was handed over and is not on its way yet. When it has gone, `Session.drained` is called. */
  readonly bufferedBytes: number;
  close(code: number, error: WireError | null): void;
}

/** What a session needs of the whole. */
export interface SessionHost extends Lane {
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly epochs: Epochs;
  readonly tokens: Tokens;
  readonly counters: SessionCounters;
  readonly turns: Turns;
  /** How far the stream has come; null before the first batch. */
  readonly tip: Spot | null;
  seed(principal: Principal): string;
  resolve(message: Subscribe, principal: Principal): Promise<Bound>;
  /** A query was refused, or failed: for the log. */
  queryError(message: Subscribe, error: WireError): void;
  open(spec: QuerySpec, answer: OpenAnswer): void;
  join(member: Member): void;
  leave(member: Member): void;
  /** Asks the view for its rows, whole. */
  ask(feed: Feed): void;
  /** Flushes the session at the end of this turn. */
  wake(session: Session): void;
  /** What came of its views by the lane is told as if it had not come that way. */
  leaveLane(number: number): void;
  /** Whether the session wants to be flushed after every batch. */
  wait(session: Session, waiting: boolean): void;
  /** Takes or gives back room under the principal's limit. @returns false when there is none. */
  take(key: string, count: 1 | -1): boolean;
  gone(session: Session): void;
}

export interface OpenAnswer {
  /** @param shape of the query that was opened: others share the view under other names. */
  opened(feed: Feed, shape: Shape): void;
  refused(error: WireError): void;
}

interface Subscription {
  readonly message: Subscribe;
  /** Counts bindings: an answer to an earlier one is not for us any more. */
  round: number;
  member: Member | null;
  /** What the client held when its claims changed. */
  held: { readonly chain: string; readonly have: number } | null;
}

/** One connection: its subscriptions, and what it is told of them. */
export class Session implements Holder {
  readonly #host: SessionHost;
  readonly #sink: Sink;
  readonly number: number;
  /** Whether the client takes edits. */
  readonly edits: boolean;
  readonly #mover: Mover;
  readonly #reaches: Reaches;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #restored = new Map<string, number>();
  #control: Uint8Array[] = [];
  /** It waits for something, or is to be woken. */
  #isPlanned = false;
  #principal: Principal;
  #key: string;
  #floor: string | null;
  #late = false;
  #closed = false;
  #cancelWake: (() => void) | null = null;
  #cancelStall: (() => void) | null = null;

  /** @param floor the position of the client's `hello`: nothing older is served within its epoch (P3). */
  constructor(
    host: SessionHost,
    number: number,
    sink: Sink,
    principal: Principal,
    floor: string | null,
    edits: boolean,
  ) {
    this.#host = host;
    this.number = number;
    this.edits = edits;
    this.#sink = sink;
    this.#principal = principal;
    this.#key = principalKey(principal);
    this.#floor = floor;
    this.#mover = new Mover(host, number, host.seed(principal));
    this.#reaches = new Reaches(host, this.#mover, {
      failed: (id, error) => this.#tell({ kind: 'error', reach: id, error }),
      arrived: () => host.wake(this),
    });
  }

  get stirred(): number {
    return this.#mover.members.stirred().length;
  }

  /** What was handed over and is not on its way yet. */
  get bufferedBytes(): number {
    return this.#sink.bufferedBytes;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  // ------------------------------------------------------------ what the client says

  subscribe(message: Subscribe): void {
    if (this.#subscriptions.has(message.id)) {
      this.close(CLOSE.policy, sessionsError('subscription_id_taken').toWire());
      return;
    }
    const refusal = this.#refusal();
    if (refusal !== null) {
      this.#tell({ kind: 'error', id: message.id, error: refusal.toWire() });
      return;
    }
    const subscription: Subscription = { message, round: 0, member: null, held: null };
    this.#subscriptions.set(message.id, subscription);
    void this.#bind(subscription);
  }

  /** What the client holds from before, by chain: views of these chains go on from there. */
  restore(held: ReadonlyMap<string, number>): void {
    for (const [chain, have] of held) this.#restored.set(chain, have);
  }

  /** The version of each chain that the client has been brought to. */
  holdings(): Map<string, number> {
    const members = [...this.#mover.members.all()].filter((member) => {
      this.#host.restsNot(member);
      return member.have > 0;
    });
    return new Map(members.map((member) => [member.feed.chain, member.have]));
  }

  unsubscribe({ id }: Unsubscribe): void {
    this.#end(id);
    this.#host.wake(this);
  }

  reach({ id, target }: Reach): void {
    this.#reaches.add(id, target);
    this.#host.wake(this);
  }

  pong(id: number | undefined): void {
    this.#tell({ kind: 'pong', ...(id === undefined ? {} : { id }) });
  }

  /** The claims are others now: every subscription is bound anew, at once; what it was bound to is let go first. */
  renew(principal: Principal): void {
    const key = principalKey(principal);
    if (key === this.#key || this.#closed) return;
    const before = this.#key;
    this.#principal = principal;
    this.#key = key;
    for (const [id, subscription] of this.#subscriptions) {
      const { member } = subscription;
      subscription.round += 1;
      if (member !== null) {
        this.#host.restsNot(member);
        subscription.held = { chain: member.feed.chain, have: member.have };
        this.#release(id, subscription);
      }
      this.#host.take(before, -1);
      if (this.#host.take(key, 1)) {
        void this.#bind(subscription);
        continue;
      }
      this.#subscriptions.delete(id);
      this.#mover.replacing.delete(id);
      const error = sessionsError('subscriptions_too_many_for_principal').toWire();
      this.#tell({ kind: 'error', id, error });
    }
  }

  // ------------------------------------------------------------ what the views say

  stir(member: Member): void {
    this.#host.turns.disturb(this.number);
    this.#mover.members.stir(member);
  }

  wake(): void {
    this.#host.wake(this);
  }

  fail(member: Member, error: WireError): void {
    this.failing(member, error);
    for (const id of member.ids) {
      this.#tell({ kind: 'error', id, error });
      this.#end(id);
    }
  }

  failing({ ids }: Member, error: WireError): void {
    for (const id of ids) {
      const subscription = this.#subscriptions.get(id);
      if (subscription !== undefined) this.#host.queryError(subscription.message, error);
    }
  }

  geared({ view, geared }: Feed): void {
    this.#tell({ kind: 'gear', optional: true, view, ...geared });
  }

  // ------------------------------------------------------------ what is told

  /** Tells what there is to tell, in one write; nothing while the client does not read. */
  flush(): void {
    if (this.#closed) return;
    const { limits, tip, clock } = this.#host;
    if (this.#sink.bufferedBytes > limits.bufferHighBytes) {
      this.#late = true;
      this.#cancelStall ??= clock.after(limits.stallMs, () => this.#tooSlow());
      this.#host.leaveLane(this.number);
      if (this.#control.length > limits.controlMax) this.#tooSlow();
      return;
    }
    this.#cancelStall?.();
    this.#cancelStall = null;
    this.#raiseFloor(tip);
    this.#host.leaveLane(this.number);
    const next = tip === null ? null : this.#mover.next(tip, this.#late);
    this.#late = false;
    for (const id of next?.replaced ?? []) this.#end(id);
    this.#reaches.done(next?.reached ?? []);
    const messages = [...this.#control, ...(next?.chunks ?? [])];
    if (this.#control.length > 0) this.#control = [];
    if (messages.length > 0) this.#send(messages);
    this.#plan(next);
    if (next !== null && this.#isIdle) this.#host.turns.quiet(this.number);
  }

  /** It was handed something that this session knows nothing of. */
  handed(): void {
    if (this.#sink.bufferedBytes > this.#host.limits.bufferBytesMax) this.#tooSlow();
  }

  /** The sink has room again. */
  drained(): void {
    if (!this.#closed && this.#late) this.#host.wake(this);
  }

  /** Ends the connection from this side. */
  close(code: number, error: WireError | null): void {
    if (this.#closed) return;
    this.closed();
    const messages = this.#control;
    if (error !== null) messages.push(encode({ kind: 'error', error }));
    this.#control = [];
    if (messages.length > 0) this.#sink.send(messages);
    this.#sink.close(code, error);
  }

  /** The connection has ended. */
  closed(): void {
    if (this.#closed) return;
    for (const id of this.#subscriptions.keys()) this.#end(id);
    this.#closed = true;
    this.#cancelWake?.();
    this.#cancelStall?.();
    this.#reaches.close();
    this.#host.gone(this);
  }

  // ------------------------------------------------------------ inside

  #refusal(): SluiceError | null {
    if (this.#subscriptions.size >= this.#host.limits.subscriptionsMax)
      return sessionsError('subscriptions_too_many');
    return this.#host.take(this.#key, 1) ? null : sessionsError('subscriptions_too_many_for_principal');
  }

  async #bind(subscription: Subscription): Promise<void> {
    const { message, round } = subscription;
    const stale = (): boolean =>
      this.#subscriptions.get(message.id) !== subscription || subscription.round !== round;
    const refused = (error: WireError): void => {
      if (stale()) return;
      this.#host.queryError(message, error);
      this.#tell({ kind: 'error', id: message.id, error });
      this.#end(message.id);
    };
    let bound: Bound;
    try {
      bound = await this.#host.resolve(message, this.#principal);
    } catch (error) {
      refused(toWire(error));
      return;
    }
    if (stale()) return;
    const opened = (feed: Feed, own: Shape): void => {
      if (stale()) return;
      let shape: Shape;
      try {
        shape = shapeFor(own, bound.fields);
      } catch (error) {
        refused(toWire(error));
        return;
      }
      this.#join(subscription, feed, shape);
    };
    this.#host.open(bound.spec, { refused, opened });
  }

  /** @param shape the query's, with the fields of this subscription */
  #join(subscription: Subscription, feed: Feed, shape: Shape): void {
    const { message, held } = subscription;
    let member = this.#mover.members.get(feed.view);
    const shared = member === null ? {} : { shared: true as const };
    if (member === null) {
      member = new Member(feed, this);
      this.#mover.members.add(member);
      this.#host.join(member);
      member.have = (held?.chain === feed.chain ? held.have : this.#restored.get(feed.chain)) ?? 0;
      this.#restored.delete(feed.chain);
      if (held === null) this.#resume(member, message);
    }
    subscription.held = null;
    subscription.member = member;
    member.ids.add(message.id);
    const { view, chain, geared } = feed;
    this.#tell({ kind: 'subscribed', id: message.id, view, chain, ...shared, shape, ...geared });
    const old = message.replaces;
    if (old !== undefined && old !== message.id && this.#subscriptions.has(old)) {
      this.#mover.replacing.set(message.id, { old, by: member });
    }
  }

  /** C15: deltas when the client stands on a version that is still held, else by what it says that it holds. */
  #resume(member: Member, { resume }: Subscribe): void {
    if (resume === undefined) return;
    member.resume = resume;
    if (resume.chain !== member.feed.chain) return;
    const at = this.#host.epochs.read(resume.at);
    const version = at === null ? null : member.feed.versionAt(at);
    if (version === null) return;
    member.have = version.n;
    this.#host.counters.resumedByDeltas += 1;
  }

  #end(id: number): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#mover.replacing.delete(id);
    this.#host.take(this.#key, -1);
    this.#release(id, subscription);
  }

  #release(id: number, subscription: Subscription): void {
    const { member } = subscription;
    subscription.member = null;
    member?.ids.delete(id);
    if (member === null || member.ids.size > 0) return;
    this.#host.restsNot(member);
    this.#mover.members.remove(member);
    this.#host.leave(member);
  }

  /** Nothing is to be told, now or later, but what may come of its views. */
  get #isIdle(): boolean {
    const isWaiting = this.#isPlanned || this.#control.length > 0 || this.#floor !== null;
    return !this.#closed && !isWaiting && this.#mover.isIdle;
  }

  #send(messages: readonly Uint8Array[]): void {
    const { counters, limits } = this.#host;
    counters.messages += messages.length;
    for (const message of messages) counters.bytes += message.length;
    this.#sink.send(messages);
    if (this.#sink.bufferedBytes > limits.bufferBytesMax) this.#tooSlow();
  }

  #tell(message: ServerMessage): void {
    if (this.#closed) return;
    this.#control.push(encode(message));
    this.#host.wake(this);
  }

  #raiseFloor(tip: Spot | null): void {
    if (this.#floor === null || tip === null) return;
    const floor = this.#host.epochs.read(this.#floor);
    if (floor !== null) this.#mover.raise(floor);
    this.#floor = null;
  }

  #plan(next: Next | null): void {
    // What it was told was more than it may leave unread: it is over.
    if (this.#closed) return;
    for (const member of next?.lacking ?? []) this.#host.ask(member.feed);
    const waiting = next?.waiting ?? true;
    this.#host.wait(this, waiting);
    this.#isPlanned = waiting;
    this.#cancelWake?.();
    this.#cancelWake = null;
    const wakeAtMs = next?.wakeAtMs ?? null;
    if (wakeAtMs === null) return;
    this.#isPlanned = true;
    const { clock } = this.#host;
    this.#cancelWake = clock.after(Math.max(1, wakeAtMs - clock.nowMs()), () => this.#host.wake(this));
  }

  #tooSlow(): void {
    this.#host.counters.closedSlow += 1;
    this.close(CLOSE.slow, sessionsError('client_too_slow').toWire());
  }
}

function toWire(error: unknown): WireError {
  return (error instanceof SluiceError ? error : sessionsError('query_failed')).toWire();
}
