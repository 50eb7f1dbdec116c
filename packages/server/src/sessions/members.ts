import type { ViewId } from '@sluice/core/wire';
import type { Member } from './member.js';
import type { Spot } from './spot.js';

/** Who is told what rests. */
export interface Lane {
  rests(member: Member): void;
  /** Before anything is asked of it. */
  restsNot(member: Member): void;
}

/**
 * The views of one connection. Most of them rest: of these a turn reads nothing, so that what it takes is what has
 * happened since the last one, and not how many views there are (P7).
 */
export class Members {
  readonly #lane: Lane;
  readonly #all = new Map<ViewId, Member>();
  readonly #stirred: Member[] = [];

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  get(view: ViewId): Member | null {
    return this.#all.get(view) ?? null;
  }

  all(): Iterable<Member> {
    return this.#all.values();
  }

  /** Those that have a say in where the connection moves, or something to be told. */
  stirred(): readonly Member[] {
    return this.#stirred;
  }

  /** There are some that rest: they are current. */
  get anyRests(): boolean {
    return this.#stirred.length < this.#all.size;
  }

  add(member: Member): void {
    this.#all.set(member.feed.view, member);
    this.stir(member);
  }

  remove(member: Member): void {
    this.#all.delete(member.feed.view);
    if (member.rests) return;
    member.rests = true;
    this.#stirred.splice(this.#stirred.indexOf(member), 1);
  }

  /** The feed has said something: what the client was told may not hold any more. */
  stir(member: Member): void {
    if (!member.rests) return;
    member.rests = false;
    this.#lane.restsNot(member);
    this.#stirred.push(member);
  }

  /** @returns all */
  stirAll(): readonly Member[] {
    for (const member of this.#all.values()) this.stir(member);
    return this.#stirred;
  }

  /** The connection has moved to a position. */
  settle(position: Spot): void {
    let left = 0;
    for (const member of this.#stirred) {
      member.rests = member.restsAt(position);
      if (member.rests) this.#lane.rests(member);
      else this.#stirred[left++] = member;
    }
    this.#stirred.length = left;
  }
}
