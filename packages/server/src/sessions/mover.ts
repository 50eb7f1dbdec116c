import type { Position } from '@sluice/core/position';
import type { Move, Resume, ViewId } from '@sluice/core/wire';
import type { Clock } from './clock.js';
import type { SessionCounters } from './counters.js';
import { difference } from './difference.js';
import { encode } from './encode.js';
import { fold } from './fold.js';
import type { SessionLimits } from './limits.js';
import type { Member } from './member.js';
import { Members, type Lane } from './members.js';
import { greatestCommon } from './move-rule.js';
import { later, SPOT_ZERO, type Epochs, type Spot } from './spot.js';
import type { Turns } from './turns.js';
import type { Span } from './version-log.js';

/*
 * What one connection is told next (C13, C14). Each `next` makes at most one move, out of what the feeds hold:
 *
 *   joining ──────── valid where the others are ───────▶ current ◀────────┐
 *      │                                                 │                │ the first position common
 *      └── held the connection for holdMs in vain ──┐    │ held it for    │ with the others
 *                                                   ▼    ▼ holdMs         │
 *                                                   behind ───────────────┘
 *
 * A view that is never valid at the tip of a busy stream (each run is overtaken by the next commit) can only join
 * where the connection already was. So the connection waits for it, once, up to `holdMs` ("courts" it); when that was
 * in vain, or the view falls behind later, it may only come back without delaying anybody until a pause is over.
 * Nothing here is kept for a client that does not read: `next` is simply not called until it does.
 */

export interface Next {
  readonly chunks: Uint8Array[];
  /** Something is left to tell, which further batches may bring. */
  readonly waiting: boolean;
  /** When to look again although no batch came. */
  readonly wakeAtMs: number | null;
  /** Members that cannot go on without whole rows. */
  readonly lacking: readonly Member[];
  /** Subscriptions that have ended because another has replaced them. */
  readonly replaced: readonly number[];
  /** Requests that were told to be fulfilled. */
  readonly reached: readonly number[];
}

export interface MoverContext extends Lane {
  readonly clock: Clock;
  readonly limits: Pick<SessionLimits, 'holdMs' | 'holdPauseMsMax' | 'foldAbove'>;
  readonly counters: SessionCounters;
  readonly epochs: Epochs;
  readonly turns: Pick<Turns, 'positionOf' | 'moveTo'>;
}

interface Turn {
  readonly tip: Spot;
  readonly nowMs: number;
  /** The client has missed some: fold what it gets. */
  readonly late: boolean;
  readonly chunks: Uint8Array[];
  /** Were current, and are not any more. */
  readonly demoted: Set<Member>;
  readonly current: ViewId[];
  readonly behind: (readonly [ViewId, Position])[];
  readonly errors: NonNullable<Move['errors']>[number][];
}

interface News {
  readonly member: Member;
  readonly sinceMs: number;
}

export class Mover {
  readonly members: Members;
  /** Subscriptions that end once another is shown, by the id of that one. */
  readonly replacing: Map<number, { readonly old: number; readonly by: Member }> = new Map();
  readonly #context: MoverContext;
  readonly #number: number;
  readonly #reaches = new Map<number, Spot>();
  readonly #seed: string;

  /** @param number of the connection @param seed of the digests that the client sends */
  constructor(context: MoverContext, number: number, seed: string) {
    this.#context = context;
    this.#number = number;
    this.members = new Members(context);
    this.#seed = seed;
  }

  /** What the client was told last. */
  get position(): Spot {
    return this.#context.turns.positionOf(this.#number);
  }

  /** Nothing is to be told, whatever happens to others: every view rests, and nobody asks for a position. */
  get isIdle(): boolean {
    return this.members.stirred().length + this.#reaches.size + this.replacing.size === 0;
  }

  /** Nothing older is served. */
  raise(floor: Spot): void {
    this.#moveTo(later(this.position, floor));
  }

  reach(id: number, target: Spot): void {
    this.#reaches.set(id, target);
  }

  forgetReach(id: number): void {
    this.#reaches.delete(id);
  }

  next(tip: Spot, late: boolean): Next {
    const nowMs = this.#context.clock.nowMs();
    const lists = { chunks: [], demoted: new Set<Member>(), current: [], behind: [], errors: [] };
    const turn: Turn = { tip, nowMs, late, ...lists };
    if (tip < this.position) return this.#finish(turn, null, []);
    const { p, set, wakeAtMs } = this.#choose(turn);
    for (const member of set) {
      // While it waits for another one it does not go back to where that leaves the connection.
      const span = member.position <= p ? member.answerAt(p, tip) : null;
      if (span !== null) this.#advance(turn, member, span);
    }
    for (const member of this.members.stirred())
      if (member.state === 'behind') this.#advanceAlone(turn, member);
    return this.#finish(turn, p, [...set], wakeAtMs);
  }

  // ------------------------------------------------------------ who moves, and where to

  #choose(turn: Turn): { p: Spot; set: Set<Member>; wakeAtMs: number | null } {
    const set = new Set<Member>();
    for (const member of this.members.stirred()) if (member.state === 'current') set.add(member);
    const courted = this.#admit(turn, set);
    let courting = courted.length > 0;
    for (;;) {
      const p = courting ? this.position : this.#common(turn, set);
      const news = this.#oldestNews(turn, set, p);
      const dueMs = news === null ? null : news.sinceMs + this.#context.limits.holdMs;
      if (news === null || dueMs === null || dueMs > turn.nowMs) {
        const courtMs = courting ? courted.map((member) => member.courtUntilMs ?? turn.nowMs) : [];
        const wakeAtMs = Math.min(dueMs ?? Infinity, ...courtMs);
        return { p, set, wakeAtMs: wakeAtMs === Infinity ? null : wakeAtMs };
      }
      if (courting) {
        courting = false;
        for (const member of courted) this.#fallBehind(turn, member);
        continue;
      }
      // Whoever rests is looked at as well.
      if (this.members.anyRests)
        for (const member of this.members.stirAll()) if (member.state === 'current') set.add(member);
      const culprit = this.#culprit(turn, set, news.member);
      if (culprit === null) return { p, set, wakeAtMs: null };
      set.delete(culprit);
      this.#fallBehind(turn, culprit);
    }
  }

  #common(turn: Turn, set: ReadonlySet<Member>): Spot {
    // Nothing current: no reason to run ahead of a view that may come back, but for those who ask.
    const isAlone = set.size === 0 && !this.members.anyRests;
    const still = isAlone && this.#reaches.size === 0 && this.position > SPOT_ZERO;
    return (still ? null : greatestCommon(set, this.position, turn.tip)) ?? this.position;
  }

  /** Adds to the set those that can move with it. @returns those it should wait for a little. */
  #admit(turn: Turn, set: Set<Member>): Member[] {
    const courted: Member[] = [];
    const anyone = set.size > 0 || this.members.anyRests;
    let p = greatestCommon(set, this.position, turn.tip);
    let floor = this.position;
    for (const member of this.members.stirred()) {
      if (member.state === 'current' || member.feed.last === null || member.lacksRows) continue;
      const least = later(floor, member.position);
      // Where it is valid at what the others have in common already, none of them is asked again.
      const joins = p !== null && p >= least && member.answerAt(p, turn.tip) !== null;
      const common = joins ? p : greatestCommon([...set, member], least, turn.tip);
      const paused = turn.nowMs < member.pauseUntilMs;
      if (common !== null && (!paused || (common === p && member.validAtTip))) {
        set.add(member);
        p = common;
        floor = least;
      } else if (!paused && anyone) {
        member.courtUntilMs ??= turn.nowMs + this.#context.limits.holdMs;
        if (turn.nowMs < member.courtUntilMs) courted.push(member);
        else this.#fallBehind(turn, member);
      }
    }
    return courted;
  }

  /** The answer that the client waits for longest, given a move to `p`. */
  #oldestNews(turn: Turn, set: Iterable<Member>, p: Spot): News | null {
    let oldest: News | null = null;
    for (const member of set) {
      const last = member.feed.last;
      const told = member.answerAt(p, turn.tip);
      if (last === null || (told !== null && told.n === last.n && told.error === last.error)) continue;
      if (told === null && !member.isNews(last)) continue;
      const first = member.feed.version((told?.n ?? member.have) + 1);
      const sinceMs = first?.arrivedMs ?? last.arrivedMs;
      if (oldest === null || sinceMs < oldest.sinceMs) oldest = { member, sinceMs };
    }
    return oldest;
  }

  /** Who keeps the others from what `waiting` has to tell. */
  #culprit(turn: Turn, set: ReadonlySet<Member>, waiting: Member): Member | null {
    if (set.size < 2) return null;
    if (waiting.lacksRows) return waiting;
    let culprit: Member | null = null;
    for (const member of set) {
      if (member.lacksRows) return member;
      if (member === waiting) continue;
      if (culprit === null || member.end(turn.tip) < culprit.end(turn.tip)) culprit = member;
    }
    return culprit;
  }

  #fallBehind(turn: Turn, member: Member): void {
    const { holdMs, holdPauseMsMax } = this.#context.limits;
    const { state } = member;
    member.fallBehind(turn.nowMs, holdMs, holdPauseMsMax);
    if (state !== 'behind') this.#context.counters.fellBehind += 1;
    if (state !== 'current') return;
    member.position = this.position;
    turn.demoted.add(member);
  }

  // ------------------------------------------------------------ what they are told

  #advance(turn: Turn, member: Member, span: Span): void {
    if (member.state === 'current' && !member.isNews(span)) return;
    const back = member.state !== 'current' || member.error !== null;
    this.#tell(turn, member, span);
    if (back && span.error === null) turn.current.push(member.feed.view);
    if (member.state !== 'current') member.becomeCurrent(turn.nowMs);
  }

  #advanceAlone(turn: Turn, member: Member): void {
    const span = member.feed.last;
    const end = member.end(turn.tip);
    const news = span !== null && member.deliverable(span) && (!member.shown || member.isNews(span));
    if (news && end >= member.position) {
      this.#tell(turn, member, span);
      member.position = end;
    } else if (!turn.demoted.has(member)) return;
    else if (member.error !== null) turn.errors.push([member.feed.view, member.error]);
    turn.behind.push([member.feed.view, this.#context.epochs.text(member.position)]);
  }

  #tell(turn: Turn, member: Member, span: Span): void {
    member.shown = true;
    if (span.error !== null) {
      turn.errors.push([member.feed.view, span.error]);
      member.error = span.error;
      return;
    }
    const { resume } = member;
    member.error = null;
    member.resume = null;
    if (span.n === member.have) return;
    const start = member.start;
    if (start !== member.have && member.base !== null)
      turn.chunks.push(this.#whole(member, member.base.bytes, resume));
    const versions = member.feed.after(start ?? span.n, span.n);
    turn.chunks.push(...this.#deltas(turn, member, versions));
    member.have = span.n;
    member.base = null;
  }

  #whole(member: Member, rows: Uint8Array, resume: Resume | null): Uint8Array {
    if (resume === null || resume.buckets.length === 0) return rows;
    this.#context.counters.resumedByDifference += 1;
    return difference(rows, resume, this.#seed, member.feed.shape.ordered);
  }

  #deltas(turn: Turn, member: Member, versions: readonly Span[]): Uint8Array[] {
    const deltas = versions.flatMap(({ delta, plain }) => (member.holder.edits ? delta : plain) ?? []);
    if (versions.length > 1 && (turn.late || versions.length > this.#context.limits.foldAbove)) {
      const folded = fold(deltas, member.feed.shape.ordered);
      if (folded !== null) {
        this.#context.counters.folded += 1;
        return [folded];
      }
    }
    return deltas;
  }

  // ------------------------------------------------------------ the move

  #finish(turn: Turn, p: Spot | null, set: readonly Member[], wakeAtMs: number | null = null): Next {
    const reached: number[] = [];
    for (const [id, target] of this.#reaches) if (p !== null && target <= p) reached.push(id);
    for (const id of reached) this.#reaches.delete(id);
    const replaced = p === null ? [] : this.#replaced();
    const { current, behind, errors } = turn;
    const parts = { current, behind, errors, reached, replaced };
    const filled = Object.fromEntries(Object.entries(parts).filter(([, list]) => list.length > 0));
    if (p !== null && (turn.chunks.length > 0 || Object.keys(filled).length > 0)) {
      this.#moveTo(p);
      this.#context.counters.moves += 1;
      turn.chunks.push(encode({ kind: 'move', position: this.#context.epochs.text(p), ...filled }));
    }
    const members = [...this.members.stirred()];
    this.members.settle(this.position);
    return {
      chunks: turn.chunks,
      waiting:
        p === null ||
        this.#reaches.size > 0 ||
        members.some((member) => member.state !== 'current') ||
        this.#oldestNews(turn, set, p) !== null,
      wakeAtMs,
      lacking: members.filter((member) => member.lacksRows),
      replaced,
      reached,
    };
  }

  #moveTo(p: Spot): void {
    this.#context.turns.moveTo(this.#number, p);
  }

  #replaced(): number[] {
    const replaced: number[] = [];
    for (const [id, { old, by }] of this.replacing) {
      if (by.state === 'joining' || !by.ids.has(id)) continue;
      this.replacing.delete(id);
      replaced.push(old);
    }
    return replaced;
  }
}
