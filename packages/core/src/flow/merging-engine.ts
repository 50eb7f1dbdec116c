import { assert } from '../assert.js';
import type { EnginePieces } from './engine-pieces.js';
import { FlowEngine } from './flow-engine.js';
import { groupedAnswers } from './grouped-answers.js';
import { HeldGroups } from './held-groups.js';
import { madeAnswers } from './made-answers.js';
import type { Maintained } from './maintained.js';
import type { FlowMember } from './member.js';
import type { Block } from './plan.js';
import { NumberMap } from '../number-map.js';
import type { PgText, RowKey } from '../value.js';

/**
 * An engine that takes over what others of its plan hold. What members that wait do not know may be fetched at a snapshot
 * into an engine beside theirs (`complement`), is brought to the same position by the changes that the snapshot did not
 * see, and learnt.
 */
export class MergingEngine extends FlowEngine {
  /** @param pieces those of the chunks that the plan names */
  constructor(plan: Block, pieces: EnginePieces) {
    const operators = { ...pieces.operators, groups: HeldGroups };
    super(
      plan,
      { ...pieces, operators, newMap: () => new NumberMap() },
      (block, joining) => madeAnswers(block, joining) ?? groupedAnswers(block),
    );
  }

  get memberCount(): number {
    return this.root.memberCount;
  }

  holds(table: number, key: RowKey): boolean {
    return this.root.find(table, key) !== null;
  }

  /** Whether it is one of the members. */
  has(member: FlowMember): boolean {
    return this.root.member(member.params) === member;
  }

  /** The member of a binding, if it is one. */
  member(params: readonly PgText[]): FlowMember | undefined {
    return this.root.member(params);
  }

  members(): Iterable<FlowMember> {
    return this.root.members();
  }

  /** Something is demanded that is not known. */
  get isWanting(): boolean {
    return isWanting(this.root);
  }

  /** An empty engine is to hold what another one of the plan demands and does not know: `needs` asks for no more. */
  complement(other: MergingEngine): void {
    this.beside = other.root;
    if (!other.isWanting) other.root.startAll();
    demandFor(this.root, other.root);
  }

  /** Takes over what another engine of the plan holds and is not known here, both being at the same position. */
  learn(other: MergingEngine, isRemade = false): void {
    if (other.isVoid) return;
    do {
      while (fillFrom(this.root, other.root, isRemade));
      this.root.startAll();
    } while (fillFrom(this.root, other.root, isRemade));
    this.root.sweep();
  }

  /** Takes over all members of another engine of the same plan, both being at the same position. */
  absorb(other: MergingEngine): ReadonlyMap<FlowMember, FlowMember> {
    const taken = this.#takeOver(other);
    for (const [, member] of taken) assert(this.start(member), 'what another engine holds is there');
    return taken;
  }

  /**
   * Makes all answers of another engine of the same plan once more, being empty itself.
   * @returns its members, and who they are here: null where what followed change by change cannot be made at once
   */
  copy(other: MergingEngine): ReadonlyMap<FlowMember, FlowMember | null> {
    const copies = new Map<FlowMember, FlowMember | null>();
    for (const [old, member] of this.#takeOver(other, true)) {
      const isMade = this.start(member);
      copies.set(old, isMade ? member : null);
      if (!isMade) this.remove(member);
    }
    return copies;
  }

  #takeOver(other: MergingEngine, isRemade = false): ReadonlyMap<FlowMember, FlowMember> {
    const taken = new Map(Array.from(other.root.members(), (member) => [member, this.add(member.params)]));
    this.learn(other, isRemade);
    return taken;
  }
}

function isWanting({ held, children, isWanting: own = false }: Maintained): boolean {
  const isNeeding = held?.needed.some(({ size }) => size > 0) === true;
  return own || isNeeding || children.some((child) => child !== null && isWanting(child));
}

/** Demands, for good, what another engine of the plan needs. Of what holds no rows, who looks at an answer demands it. */
function demandFor(own: Maintained, { held, children }: Maintained): void {
  for (const [at, needed] of held?.needed.entries() ?? []) {
    const store = own.held?.stores[at];
    for (const [key, given] of needed) store?.demand(key, () => given);
    const [child, others] = [own.children[at] ?? null, children[at] ?? null];
    if (child === null || others === null) continue;
    demandFor(child, others);
    // What is asked for within may be named by its joins alone.
    for (const { key, params } of others.open) store?.demand(key, () => params);
  }
}

/** What is needed and another engine of the plan holds, at the same position. @returns whether any was */
function fillFrom(own: Maintained, other: Maintained, isRemade: boolean): boolean {
  if (own.fillFrom !== undefined) return own.fillFrom(other, isRemade);
  let any = false;
  for (const [at, needed] of own.held?.needed.entries() ?? []) {
    for (const key of needed.keys()) {
      const rows = other.held?.stores[at]?.rows(key);
      if (rows === undefined) continue;
      needed.delete(key);
      own.cover(at, key, rows);
      any = true;
    }
    const [child, others] = [own.children[at] ?? null, other.children[at] ?? null];
    if (child !== null && others !== null && fillFrom(child, others, isRemade)) any = true;
  }
  return any;
}
