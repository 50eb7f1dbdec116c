import { must } from '../assert.js';
import { FewByKey } from '../few.js';
import type { CompiledInput } from './compiled-block.js';
import type { Images } from './images.js';
import type { InputRow } from './input-row.js';
import {
  anchorMark,
  attempt,
  withoutRow,
  type Anchor,
  type Joining,
  type OnAnchored,
  type OnUnknown,
} from './joining.js';
import type { FlowMember, Tuples } from './member.js';

/** Of the block whose tuples they are. */
export interface Touching {
  readonly inputs: readonly CompiledInput[];
  readonly joining: Joining;
  members(): Iterable<FlowMember>;
  /** Asks for the rows of a key that are not known. */
  readonly onUnknown: OnUnknown;
}

/** Joined tuples of a member, as they were and as they are. */
export interface Touched {
  readonly member: FlowMember;
  readonly old: Tuples;
  readonly next: Tuples;
}

/** The joined tuples under the anchors of all that a transaction changed, by member, in both states of the stores. */
export class TouchedTuples {
  readonly #of: Touching;
  readonly #missed: Set<FlowMember>;
  readonly #touched = new FewByKey<FlowMember, Touched>();
  #state: 'old' | 'next' = 'old';
  /** Anchors that have been looked under; the first alone needs no mark: mostly there is no other. */
  #first: { readonly member: FlowMember; readonly anchor: Anchor } | null = null;
  #marks: Set<string> | null = null;

  /** @param missed takes the members of which it cannot be told */
  constructor(of: Touching, missed: Set<FlowMember>) {
    this.#of = of;
    this.#missed = missed;
  }

  all(): Iterable<Touched> {
    return this.#touched.values();
  }

  /** @param state which image of a changed row is in the stores */
  collect(state: 'old' | 'next', images: readonly Images[]): void {
    this.#state = state;
    this.#first = this.#marks = null;
    for (const { at, rows, lost, blind } of images) {
      for (const key of lost) this.#miss(at, key);
      for (const key of blind) this.#miss(at, key);
      for (const pair of rows) {
        this.#underRow(at, pair[state], true);
        this.#underRow(at, pair[state === 'old' ? 'next' : 'old'], false);
      }
    }
  }

  /** What a member lacks it asks for also where it has missed: all is to be fetched together. */
  #isOver(member: FlowMember): boolean {
    return this.#state === 'old' && (!member.started || this.#missed.has(member));
  }

  /** @param key null stands for any */
  #miss(at: number, key: string | null): void {
    if (key === null) for (const member of this.#of.members()) this.#missed.add(member);
    else this.#of.joining.membersBelow(at, key, (member) => void this.#missed.add(member));
  }

  #underRow(at: number, row: InputRow | null, isPresent: boolean): void {
    const { input, isDirect } = must(this.#of.inputs[at], 'input');
    // No tuple has a row that is not there.
    if (row === null || (!isPresent && isDirect && input.join === 'inner')) return;
    const { joining } = this.#of;
    if (isPresent) joining.anchors(at, row, this.#gather);
    else
      joining.anchors(at, row, (member, anchor) => {
        if (anchor[at] === undefined) this.#gather(member, anchor);
        // Of a left join its absence counts.
        else if (input.join === 'left') this.#gather(member, withoutRow(anchor, at));
      });
  }

  readonly #gather: OnAnchored = (member, anchor) => {
    if (this.#isOver(member) || this.#isSeen(member, anchor)) return;
    const { joining, onUnknown } = this.#of;
    let own = this.#touched.get(member);
    if (own === undefined)
      this.#touched.set(member, (own = { member, old: new FewByKey(), next: new FewByKey() }));
    const into = own[this.#state];
    if (!attempt(() => joining.expand(member, anchor, into, onUnknown))) this.#missed.add(member);
  };

  #isSeen(member: FlowMember, anchor: Anchor): boolean {
    if (this.#first === null) {
      this.#first = { member, anchor };
      return false;
    }
    this.#marks ??= new Set([markOf(this.#first.member, this.#first.anchor)]);
    const { size } = this.#marks;
    return this.#marks.add(markOf(member, anchor)).size === size;
  }
}

function markOf(member: FlowMember, anchor: Anchor): string {
  return `${member.key}/${anchorMark(anchor)}`;
}
