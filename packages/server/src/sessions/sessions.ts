import { createHash } from 'node:crypto';
import { SluiceError } from '@sluice/core/errors';
import { each, hasOne, withOne, withoutOne } from '@sluice/core/few';
import type { Shape } from '@sluice/core/shape';
import type { Subscribe, ViewId, WireError } from '@sluice/core/wire';
import { principalKey } from '../auth/auth.js';
import type { Entry, FromViews, Geared, Principal, QuerySpec, ViewsPort } from '../views/port.js';
import type { Clock } from './clock.js';
import { newCounters, type SessionCounters } from './counters.js';
import type { Feed } from './feed.js';
import { Held } from './held.js';
import { KeepWarm } from './keep-warm.js';
import { SESSION_LIMITS, type SessionLimits } from './limits.js';
import { lookAhead, lookAheadAt, TOGETHER } from './look-ahead.js';
import type { Member } from './member.js';
import { shapeFor, type Bound, type Resolver } from './resolver.js';
import { Session, type OpenAnswer, type SessionHost, type Sink } from './session.js';
import { QuickLane } from './quick-lane.js';
import { Quiet } from './quiet.js';
import { Epochs, later, type Spot } from './spot.js';
import { Tokens } from './tokens.js';
import { Turns } from './turns.js';
import { VersionLog, type Span } from './version-log.js';

/*
 * Between views and connections. From the left come batches: versions of views and where they are valid. They are
 * noted in the view's feed, and the connections that hold the view are marked. At the end of the turn of the event
 * loop each marked connection is told, in one write, what the move rule lets it be told.
 *
 *   ViewsPort ──batch──▶ feeds ──mark──▶ sessions ──(end of turn)──▶ deltas + move ──▶ sink
 *
 * The work of a batch is that of the feeds it touches and of the connections that hold them or wait for something
 * (P7); a connection that has nothing to be told is not looked at (C3).
 */

export interface SessionsOptions {
  readonly port: ViewsPort;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Random bytes of this process: keys the digests, names the chains. */
  readonly secret: Uint8Array;
  readonly limits?: Partial<SessionLimits>;
  /** Told of each query that is refused or fails: its name, or null for a client's own SQL. */
  readonly onQueryError?: (query: string | null, error: WireError) => void;
}

export interface SessionsStatus {
  readonly sessions: number;
  readonly views: number;
  readonly idleViews: number;
  readonly subscriptions: number;
  /** Bytes of deltas and whole rows held for late and slow clients. */
  readonly heldBytes: number;
  readonly counters: Readonly<SessionCounters>;
}

export class Sessions implements SessionHost {
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly epochs: Epochs = new Epochs();
  readonly tokens: Tokens;
  readonly counters: SessionCounters = newCounters();
  readonly turns: Turns = new Turns();
  readonly #port: ViewsPort;
  readonly #resolver: Resolver;
  readonly #secret: Uint8Array;
  readonly #onQueryError: (query: string | null, error: WireError) => void;
  readonly #held = new Map<ViewId, Held>();
  /** The same by their places. */
  readonly #places: (Held | undefined)[] = [];
  readonly #sessions = new Set<Session>();
  /** By number. */
  readonly #numbered: (Session | undefined)[] = [undefined];
  readonly #numbers: number[] = [];
  readonly #waiting = new Set<Session>();
  readonly #dirty = new Set<Session>();
  readonly #opens = new Map<number, OpenAnswer>();
  readonly #asks = new Map<number, Held>();
  readonly #perPrincipal = new Map<string, number>();
  /** Feeds that hold whole rows, least recently made first. */
  readonly #wholes = new Map<Feed, number>();
  readonly #log: VersionLog;
  readonly #lane: QuickLane;
  readonly #quiet: Quiet;
  readonly #keepWarm: KeepWarm;
  #wholeBytes = 0;
  #refs = 0;
  #chains = 0;
  #scheduled = false;
  #tip: Spot | null = null;

  constructor(options: SessionsOptions) {
    this.clock = options.clock;
    this.limits = { ...SESSION_LIMITS, ...options.limits };
    this.#log = new VersionLog(this.limits, (place, span) => this.#letGo(place, span));
    this.#lane = new QuickLane(this.#log, this.limits, this.epochs);
    this.#quiet = new Quiet(this.turns, this.#lane, this.limits, this.counters, {
      due: (number) => this.#due(number),
      full: (number) => this.#numbered[number]?.handed(),
    });
    this.tokens = new Tokens(this.limits.tokensMax);
    this.#port = options.port;
    this.#resolver = options.resolver;
    this.#secret = options.secret;
    this.#onQueryError = options.onQueryError ?? ((): void => undefined);
    const oldestOpen = (): number => this.#oldestOpen();
    this.#keepWarm = new KeepWarm(this.clock, this.limits, oldestOpen, (feed) => this.#forget(feed));
    this.#port.listen((message) => this.#hear(message));
  }

  get tip(): Spot | null {
    return this.#tip;
  }

  /** A new connection of an authenticated client. @param edits whether it takes operations of that kind */
  connect(sink: Sink, principal: Principal, position: string | null, edits: boolean): Session {
    const number = this.#numbers.pop() ?? this.#numbered.length;
    this.turns.open(number, edits);
    const session = new Session(this, number, sink, principal, position, edits);
    this.#numbered[number] = session;
    this.#quiet.connect(number, sink);
    this.#sessions.add(session);
    return session;
  }

  /** Whether a subscription would be served. The view stays warm, for who asked to come and hold it. */
  async probe(
    message: Subscribe,
    principal: Principal,
  ): Promise<{ feed: Feed; shape: Shape } | { error: WireError }> {
    try {
      const { spec, fields } = await this.#resolver.resolve(message, principal);
      const answer = await new Promise<{ feed: Feed; shape: Shape } | { error: WireError }>((resolve) => {
        this.open(spec, {
          opened: (feed, shape) => resolve({ feed, shape }),
          refused: (error) => resolve({ error }),
        });
      });
      if ('error' in answer) this.queryError(message, answer.error);
      return 'error' in answer ? answer : { ...answer, shape: shapeFor(answer.shape, fields) };
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      this.queryError(message, error.toWire());
      return { error: error.toWire() };
    }
  }

  status(): SessionsStatus {
    let subscriptions = 0;
    for (const session of this.#sessions) subscriptions += session.subscriptions;
    return {
      sessions: this.#sessions.size,
      views: this.#held.size,
      idleViews: this.#keepWarm.size,
      subscriptions,
      heldBytes: this.#wholeBytes + this.#log.bytes,
      counters: this.counters,
    };
  }

  // ------------------------------------------------------------ for sessions

  seed(principal: Principal): string {
    const hash = createHash('sha256').update(this.#secret).update(principalKey(principal));
    return hash.digest('hex').slice(0, 32);
  }

  resolve(message: Subscribe, principal: Principal): Promise<Bound> {
    return this.#resolver.resolve(message, principal);
  }

  queryError({ query }: Subscribe, error: WireError): void {
    this.#onQueryError(query ?? null, error);
  }

  open(spec: QuerySpec, answer: OpenAnswer): void {
    const ref = ++this.#refs;
    this.#opens.set(ref, answer);
    this.#port.post({ kind: 'open', ref, spec });
  }

  join(member: Member): void {
    const { feed, holder } = member;
    this.#keepWarm.take(feed);
    const held = this.#held.get(feed.view);
    if (held === undefined) return;
    held.leaveLane();
    held.members = withOne(held.members, member);
    if (!holder.edits) held.plain += 1;
  }

  leave(member: Member): void {
    const { feed, holder } = member;
    const held = this.#held.get(feed.view);
    if (held !== feed) return;
    if (hasOne(held.members, member) && !holder.edits) held.plain -= 1;
    held.members = withoutOne(held.members, member);
    if (held.members === undefined) this.#keepWarm.keep(feed, this.#refs);
  }

  rests(member: Member): void {
    if (member.feed instanceof Held) member.feed.enterLane(member);
  }

  restsNot({ feed }: Member): void {
    if (feed instanceof Held) feed.leaveLane();
  }

  leaveLane(number: number): void {
    for (const view of this.turns.viewsOf(number))
      if (this.#lane.holderOf(view) === number) this.#places[view]?.leaveLane();
    this.turns.settle(number);
  }

  ask(feed: Feed): void {
    const held = this.#held.get(feed.view);
    if (held === undefined || held.asking !== null) return;
    held.asking = ++this.#refs;
    this.#asks.set(held.asking, held);
    this.counters.snapshots += 1;
    this.#port.post({ kind: 'snapshot', ref: held.asking, view: feed.view });
  }

  wake(session: Session): void {
    this.turns.disturb(session.number);
    this.#dirty.add(session);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.clock.soon(() => this.#flush());
  }

  #due(number: number): void {
    const session = this.#numbered[number];
    if (session !== undefined) this.#dirty.add(session);
  }

  wait(session: Session, waiting: boolean): void {
    if (waiting) this.#waiting.add(session);
    else this.#waiting.delete(session);
  }

  take(key: string, count: 1 | -1): boolean {
    const taken = (this.#perPrincipal.get(key) ?? 0) + count;
    if (taken > this.limits.subscriptionsPerPrincipalMax) return false;
    if (taken <= 0) this.#perPrincipal.delete(key);
    else this.#perPrincipal.set(key, taken);
    return true;
  }

  gone(session: Session): void {
    this.#sessions.delete(session);
    this.#numbered[session.number] = undefined;
    this.#quiet.gone(session.number);
    this.turns.open(session.number, false);
    this.#numbers.push(session.number);
    this.#waiting.delete(session);
    this.#dirty.delete(session);
  }

  // ------------------------------------------------------------ what the views say

  #hear(message: FromViews): void {
    switch (message.kind) {
      case 'opened':
        this.#opened(message);
        break;
      case 'refused':
        this.#refused(message.ref, message.error);
        break;
      case 'full':
        this.#keepWarm.releaseAll();
        this.#port.post({ kind: 'spared' });
        break;
      case 'token':
        this.tokens.seen(message.token, this.epochs.spot(message.lsn));
        break;
      case 'batch':
        this.#batch(message);
    }
  }

  #opened(message: Extract<FromViews, { kind: 'opened' }>): void {
    const answer = this.#opens.get(message.ref);
    this.#opens.delete(message.ref);
    const known = this.#held.get(message.view);
    if (known !== undefined) this.#port.post({ kind: 'release', view: message.view });
    known?.leaveLane();
    const feed = known ?? this.#newFeed(message);
    answer?.opened(feed, message.shape);
    if (feed.members === undefined) this.#keepWarm.keep(feed, this.#refs);
    this.#keepWarm.answered();
  }

  #newFeed(message: Extract<FromViews, { kind: 'opened' }>): Held {
    const chain = `${Buffer.from(this.#secret.subarray(0, 6)).toString('hex')}.${++this.#chains}`;
    const { view, place, shape } = message;
    const about = { view, place, shape, chain, geared: gearedOf(message) };
    const feed = new Held(this.#lane, about, this.limits, this.#log);
    this.#held.set(view, feed);
    this.#places[place] = feed;
    return feed;
  }

  #refused(ref: number, error: WireError): void {
    this.#opens.get(ref)?.refused(error);
    this.#opens.delete(ref);
    this.#keepWarm.answered();
    const held = this.#asks.get(ref);
    this.#asks.delete(ref);
    if (held === undefined) return;
    held.asking = null;
    for (const member of Array.from(each(held.members)))
      if (member.lacksRows) member.holder.fail(member, error);
  }

  #batch(message: Extract<FromViews, { kind: 'batch' }>): void {
    if (message.epoch === '') return;
    const before = this.#tip;
    if (this.epochs.enter(message.epoch) && before !== null) {
      for (const held of this.#held.values()) {
        held.leaveLane();
        held.gap(before);
        held.stir();
      }
    }
    const position = this.epochs.spot(message.position);
    this.#tip = before === null ? position : later(before, position);
    this.#take(message.entries);
    for (const session of this.#waiting) this.wake(session);
  }

  #take(entries: readonly Entry[]): void {
    for (let from = 0; from < entries.length; from += TOGETHER) {
      const some = entries.slice(from, from + TOGETHER);
      if (some.length > 1) lookAhead(some.map((entry) => this.#outsideLane(entry)));
      for (const entry of some) this.#entry(entry);
    }
  }

  #entry(entry: Entry): void {
    const nowMs = this.clock.nowMs();
    if (this.#quick(entry, nowMs)) return;
    const held = this.#places[entry.place];
    if (held === undefined) return;
    held.leaveLane();
    const { whole } = held;
    held.stir();
    switch (entry.kind) {
      case 'rows':
        this.#rows(held, entry, nowMs);
        break;
      case 'delta':
        held.delta(
          this.epochs.spot(entry.from),
          this.epochs.spot(entry.to),
          entry.edited ?? entry.message,
          entry.edited === undefined || held.plain > 0 ? entry.message : null,
          entry.count,
          nowMs,
        );
        break;
      case 'gear':
        held.regear(gearedOf(entry));
        for (const { holder } of each(held.members)) holder.geared(held);
        return;
      case 'gap':
        held.gap(this.epochs.spot(entry.through));
        return;
      case 'again':
        if (!held.again(this.epochs.spot(entry.from), nowMs)) return;
        break;
      case 'error':
        held.error(this.epochs.spot(entry.from), entry.error, nowMs);
        for (const member of each(held.members)) member.holder.failing(member, entry.error);
        break;
      case 'ended':
        this.#ended(held, entry.error);
        return;
    }
    if (held.whole !== whole) this.#noteWhole(held);
    for (const { holder } of each(held.members)) holder.wake();
  }

  /** @returns whether it was one more version of a view in the lane */
  #quick(entry: Entry, nowMs: number): boolean {
    const number = this.#lane.holderOf(entry.place);
    if (number === 0) return false;
    const taken = this.#lane.take(entry, this.turns.takesEdits(number), nowMs);
    if (taken === 'first') {
      this.turns.came(number, entry.place);
      this.#schedule();
    }
    return taken !== null;
  }

  /** The log has let go of a span. */
  #letGo(place: number, span: Span): void {
    if (!this.#lane.letGo(place, span)) this.#places[span.view]?.letGo(place, span);
  }

  #outsideLane({ place }: Entry): Held | undefined {
    return this.#lane.holderOf(place) === 0 ? this.#places[place] : undefined;
  }

  #rows(held: Held, entry: Extract<Entry, { kind: 'rows' }>, nowMs: number): void {
    const at = this.epochs.spot(entry.at);
    if (entry.ref === undefined) {
      held.rows(at, entry.message, entry.count, nowMs);
    } else {
      this.#asks.delete(entry.ref);
      if (held.asking === entry.ref) held.asking = null;
      held.answered(at, entry.message, entry.count);
    }
    // Those who lack rows take them now: the cache may let go of them before their turn.
    for (const member of each(held.members)) void member.start;
  }

  #ended(held: Held, error: WireError): void {
    for (const member of Array.from(each(held.members))) member.holder.fail(member, error);
    this.#keepWarm.take(held);
    this.#drop(held);
  }

  // ------------------------------------------------------------ what is held

  #noteWhole(feed: Feed): void {
    this.#wholeBytes -= this.#wholes.get(feed) ?? 0;
    this.#wholes.delete(feed);
    const bytes = feed.whole?.bytes.length ?? 0;
    if (bytes === 0) return;
    this.#wholes.set(feed, bytes);
    this.#wholeBytes += bytes;
    for (const [oldest, size] of this.#wholes) {
      if (this.#wholeBytes <= this.limits.rowsBytesMax) break;
      oldest.forgetWhole();
      this.#wholes.delete(oldest);
      this.#wholeBytes -= size;
    }
  }

  /** Nobody has held it for long enough. */
  #forget(feed: Feed): void {
    const held = this.#held.get(feed.view);
    if (held !== feed) return;
    this.#drop(held);
    this.#port.post({ kind: 'release', view: feed.view });
  }

  #drop(held: Held): void {
    held.leaveLane();
    this.#held.delete(held.view);
    this.#places[held.place] = undefined;
    if (held.asking !== null) this.#asks.delete(held.asking);
    held.forgetLog();
    held.forgetWhole();
    this.#noteWhole(held);
  }

  #oldestOpen(): number {
    for (const ref of this.#opens.keys()) return ref;
    return Infinity;
  }

  #flush(): void {
    this.#scheduled = false;
    const tip = this.#tip;
    if (tip !== null) this.#quiet.tell(tip, () => this.epochs.text(tip));
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (let from = 0; from < dirty.length; from += TOGETHER) {
      const some = dirty.slice(from, from + TOGETHER);
      if (some.length > 1) lookAheadAt(some);
      for (const session of some) session.flush();
    }
    this.turns.clear();
  }
}

function gearedOf({ gear, reason }: Geared): Geared {
  return { gear, ...(reason === undefined ? {} : { reason }) };
}
