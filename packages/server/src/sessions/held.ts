import { each, type Few } from '@sluice/core/few';
import { Feed } from './feed.js';
import type { Member } from './member.js';
import type { QuickLane } from './quick-lane.js';

/** A view, and who holds it. */
export class Held extends Feed {
  /** One for each connection that holds the view: mostly there is one. */
  members: Few<Member> | undefined = undefined;
  /** How many of them take no edits. */
  plain = 0;
  /** Number of the snapshot request under way. */
  asking: number | null = null;
  readonly #lane: QuickLane;

  constructor(lane: QuickLane, ...about: ConstructorParameters<typeof Feed>) {
    super(...about);
    this.#lane = lane;
  }

  /** Something was said of the view. */
  stir(): void {
    for (const member of each(this.members)) member.holder.stir(member);
  }

  /** A member rests: if it is the only one, the view goes by the lane from now on. */
  enterLane(member: Member): void {
    if (this.members !== member || this.asking !== null) return;
    if (member.error !== null || member.base !== null || member.resume !== null) return;
    const standing = this.standing();
    if (standing !== null && standing.n === member.have)
      this.#lane.put(this.place, member.holder.number, standing);
  }

  /** What happened to it in the lane is known here from now on. */
  leaveLane(): void {
    const left = this.#mayRest ? this.#lane.leave(this.place) : null;
    if (left === null) return;
    const { standing, told } = left;
    this.stand(standing);
    for (const member of each(this.members)) {
      member.have = told;
      if (told < standing.n) member.holder.stir(member);
    }
  }

  /** With nobody who holds it, its place may be another's. */
  get #mayRest(): boolean {
    return this.members !== undefined;
  }
}
