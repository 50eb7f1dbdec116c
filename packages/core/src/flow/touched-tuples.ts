import { must } from '../assert.js';
import type { PgText } from '../value.js';
import type { CompiledInput } from './compiled-block.js';
import type { Images } from './images.js';
import type { InputRow } from './input-row.js';
import { anchorMark, attempt, withoutRow, type Anchor, type Joining } from './joining.js';
import type { FlowMember, Tuple } from './member.js';

/** Of the block whose tuples they are. */
export interface Touching {
  readonly inputs: readonly CompiledInput[];
  readonly joining: Joining;
  members(): Iterable<FlowMember>;
  /** Asks for the rows of a key that are not known. @returns whether they are found at once */
  isFound(member: FlowMember, at: number, key: string, above: readonly PgText[]): boolean;
}

/** The joined tuples under the anchors of all that a transaction changed, by member, in one state of the stores. */
export class TouchedTuples {
  readonly #of: Touching;
  readonly #state: 'old' | 'next';
  readonly #missed: Set<FlowMember>;
  readonly #tuples = new Map<FlowMember, Map<string, Tuple>>();
  /** Anchors that have been looked under; the first alone needs no mark: mostly there is no other. */
  #first: { readonly member: FlowMember; readonly anchor: Anchor } | null = null;
  #marks: Set<string> | null = null;

  /**
   * @param state which image of a changed row is in the stores
   * @param missed takes the members of which it cannot be told
   */
  constructor(of: Touching, state: 'old' | 'next', missed: Set<FlowMember>) {
    this.#of = of;
    this.#state = state;
    this.#missed = missed;
  }

  members(): Iterable<FlowMember> {
    return this.#tuples.keys();
  }

  has(member: FlowMember): boolean {
    return this.#tuples.has(member);
  }

  /** By their keys. */
  tuples(member: FlowMember): ReadonlyMap<string, Tuple> {
    return this.#tuples.get(member) ?? NO_TUPLES;
  }

  collect(images: readonly Images[]): void {
    for (const [at, { rows, lost, blind }] of images.entries()) {
      for (const key of lost) this.#miss(at, key);
      for (const key of blind) this.#miss(at, key);
      for (const { old, next } of rows) {
        const [present, absent] = this.#state === 'old' ? [old, next] : [next, old];
        if (present !== null) this.#underRow(at, present, true);
        if (absent !== null) this.#underRow(at, absent, false);
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

  #underRow(at: number, row: InputRow, isPresent: boolean): void {
    const { input, isDirect } = must(this.#of.inputs[at], 'input');
    // No tuple has a row that is not there.
    if (!isPresent && isDirect && input.join === 'inner') return;
    this.#of.joining.anchors(at, row, [], (member, anchor) => {
      if (isPresent || anchor[at] === undefined) this.#gather(member, anchor);
      // Of a left join its absence counts.
      else if (input.join === 'left') this.#gather(member, withoutRow(anchor, at));
    });
  }

  #gather(member: FlowMember, anchor: Anchor): void {
    if (this.#isOver(member) || this.#isSeen(member, anchor)) return;
    let own = this.#tuples.get(member);
    if (own === undefined) this.#tuples.set(member, (own = new Map()));
    const into = own;
    let isWhole = true;
    const told = attempt(() =>
      this.#of.joining.expand(member, anchor, into, (at, key, above) => {
        if (!this.#of.isFound(member, at, key, above)) isWhole = false;
      }),
    );
    if (!told || !isWhole) this.#missed.add(member);
  }

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

const NO_TUPLES: ReadonlyMap<string, Tuple> = new Map();

function markOf(member: FlowMember, anchor: Anchor): string {
  return `${member.key}/${anchorMark(anchor)}`;
}
