import type { ViewId } from '@sluice/core/wire';
import type { Member } from './member.js';
import type { Spot } from './spot.js';

/**
 * The views of one connection. Most of them rest: of these a turn reads nothing, so that what it takes is what has
 * happened since the last one, and not how many views there are (P7).
 */
export class Members {
  readonly #all = new Map<ViewId, Member>();
  readonly #stirred = new Set<Member>();

  get(view: ViewId): Member | null {
    return this.#all.get(view) ?? null;
  }

  all(): Iterable<Member> {
    return this.#all.values();
  }

  /** Those that have a say in where the connection moves, or something to be told. */
  stirred(): Iterable<Member> {
    return this.#stirred;
  }

  /** There are some that rest: they are current. */
  get anyRests(): boolean {
    return this.#stirred.size < this.#all.size;
  }

  add(member: Member): void {
    this.#all.set(member.feed.view, member);
    this.#stirred.add(member);
  }

  remove(member: Member): void {
    this.#all.delete(member.feed.view);
    this.#stirred.delete(member);
  }

  /** The feed has said something: what the client was told may not hold any more. */
  stir(member: Member): void {
    this.#stirred.add(member);
  }

  /** @returns all */
  stirAll(): Iterable<Member> {
    for (const member of this.#all.values()) this.#stirred.add(member);
    return this.#stirred;
  }

  /** The connection has moved to a position. */
  settle(position: Spot): void {
    for (const member of this.#stirred) if (member.restsAt(position)) this.#stirred.delete(member);
  }
}
