import type { Resume, WireError } from '@sluice/core/wire';
import type { Feed, Whole } from './feed.js';
import { SPOT_ZERO, type Spot } from './spot.js';
import type { Span } from './version-log.js';

/** `joining`: nothing was shown yet. `current`: part of every move. `behind`: at a position of its own (C14). */
export type MemberState = 'joining' | 'current' | 'behind';

/** Whose hold it is: the connection. */
export interface Holder {
  /** Of all connections. */
  readonly number: number;
  /** Whether the client takes edits. */
  readonly edits: boolean;
  /** Of how many of its views something was said that a turn has to look at. */
  readonly stirred: number;
  /** Something was said of the view. */
  stir(member: Member): void;
  /** At the end of this turn it is to be told what there is to tell. */
  wake(): void;
  /** The view is maintained otherwise than its subscriptions were told. */
  geared(feed: Feed): void;
  /** The view has an error in place of an answer, and may have one again. */
  failing(member: Member, error: WireError): void;
  /** The view is over, or cannot be shown: its subscriptions fail, the others go on. */
  fail(member: Member, error: WireError): void;
}

/** One connection's hold on one view: what the client has of it, and how it stands to the connection's position. */
export class Member {
  readonly feed: Feed;
  readonly holder: Holder;
  /** The subscriptions that share it. */
  readonly ids: Set<number> = new Set();
  state: MemberState = 'joining';
  /** Kept by `members.ts`: a turn need not look at it. */
  rests = true;
  /** Whether the client was told of it in a move. */
  shown = false;
  /** The version that the client holds; 0 for none. */
  have = 0;
  /** Whole rows to start from when deltas do not reach back to `have`. */
  base: Whole | null = null;
  /** What the client says it holds, until it was answered. */
  resume: Resume | null = null;
  /** The error that the client was told. */
  error: WireError | null = null;
  /** Its own position while it is behind; never goes back. */
  position: Spot = SPOT_ZERO;
  /** Until when a view that wants to join holds the connection so that it may (C14). */
  courtUntilMs: number | null = null;
  pauseUntilMs = 0;
  currentSinceMs = 0;
  #pauses = 0;

  constructor(feed: Feed, holder: Holder) {
    this.feed = feed;
    this.holder = holder;
  }

  /** The version to start from: what the client has, or whole rows. Null when neither will do. */
  get start(): number | null {
    if (this.have > 0 && this.#continues(this.have)) return this.have;
    if (this.base !== null && !this.#continues(this.base.n)) this.base = null;
    this.base ??= this.#wholeOfFeed();
    return this.base?.n ?? null;
  }

  /** Whether the client can be told this answer. */
  deliverable(span: Span): boolean {
    if (span.error !== null) return true;
    const start = this.start;
    return span.n === this.have || (start !== null && span.n >= start);
  }

  /** Whether whole rows must be asked for before anything can be told. */
  get lacksRows(): boolean {
    const last = this.feed.last;
    return last !== null && !this.deliverable(last);
  }

  /** The view's answer at `p`, when it is valid there and can be told. */
  answerAt(p: Spot, tip: Spot): Span | null {
    const span = this.feed.spanAt(p);
    return span !== null && (span.through ?? tip) >= p && this.deliverable(span) ? span : null;
  }

  /** Through where the latest answer is known to be valid. */
  end(tip: Spot): Spot {
    const last = this.feed.last;
    return last === null ? SPOT_ZERO : (last.through ?? tip);
  }

  get validAtTip(): boolean {
    return this.feed.last?.through === null;
  }

  /** Whether this answer differs from what the client was told. */
  isNews(span: Span): boolean {
    return span.error === null ? span.n !== this.have || this.error !== null : span.error !== this.error;
  }

  /**
   * The client has been told the latest answer, which is valid from there on as far as the stream comes: it keeps nobody
   * from moving and has nothing to be told until the feed says more.
   */
  restsAt(position: Spot): boolean {
    const { last } = this.feed;
    if (this.state !== 'current' || last === null || last.through !== null) return false;
    return last.from <= position && !this.isNews(last);
  }

  fallBehind(nowMs: number, holdMs: number, pauseMsMax: number): void {
    if (this.state === 'current' && nowMs - this.currentSinceMs > pauseMsMax) this.#pauses = 0;
    this.state = 'behind';
    this.courtUntilMs = null;
    this.#pauses += 1;
    this.pauseUntilMs = nowMs + Math.min(holdMs * 2 ** this.#pauses, pauseMsMax);
  }

  becomeCurrent(nowMs: number): void {
    this.state = 'current';
    this.courtUntilMs = null;
    this.currentSinceMs = nowMs;
  }

  #wholeOfFeed(): Whole | null {
    const whole = this.feed.whole;
    return whole !== null && this.#continues(whole.n) ? whole : null;
  }

  #continues(n: number): boolean {
    return this.feed.continues(n, this.holder.edits);
  }
}
