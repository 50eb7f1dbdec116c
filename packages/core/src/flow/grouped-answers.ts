import { ENTRY_BYTES } from '../engine/held-bytes.js';
import type { PgText } from '../value.js';
import type { Compiled } from './compile.js';
import type { CompiledBlock } from './compiled-block.js';
import type { Group, Shared } from './group.js';
import { sharedOf } from './groups.js';
import { HeldGroups } from './held-groups.js';
import type { Answers } from './maintained.js';
import { bytesOfChange, FlowMember, type Membership } from './member.js';
import type { Block, Grouping } from './plan.js';
import { same, type Change, type Row, type RowChange } from './row.js';
import type { StageMaker, Stages } from './stages.js';

/*
 * Answers that are but groups are not held once more: each group has the row that is shown of it.
 */

/** @returns null for a block of which each member has to hold its answer */
export function groupedAnswers(block: CompiledBlock): Answers | null {
  const { group } = block.plan;
  return group !== null && isOfGroups(block.plan) ? new GroupedAnswers(block, group) : null;
}

class GroupedAnswers implements Answers {
  readonly #makeStages: StageMaker;
  #of: Membership | null = null;

  constructor({ plan, compile }: CompiledBlock, group: Grouping) {
    const shared = sharedOf(group, compile, false);
    const project = plan.project.map(compile);
    this.#makeStages = (params) => new ShownGroups(shared, params, project);
  }

  member(of: Membership, params: readonly PgText[], key: string): FlowMember {
    this.#of ??= { ...of, makeStages: this.#makeStages };
    return new GroupedMember(this.#of, params, key);
  }

  settle(): void {
    // They have the answer of before.
  }
}

/** Groups that show the rows of the answer. */
class ShownGroups extends HeldGroups implements Stages {
  readonly #project: readonly Compiled[];

  constructor(shared: Shared, params: readonly PgText[], project: readonly Compiled[]) {
    super(shared, params);
    this.#project = project;
  }

  *rows(): Generator<Row> {
    for (const { key, shown } of this.groups()) if (shown !== null) yield { key, values: shown };
  }

  override rowOf(group: Group): readonly PgText[] | null {
    const row = super.rowOf(group);
    return row && this.#project.map((one) => one(row, this.params));
  }

  shown(): null {
    return null;
  }

  placesOf(): readonly never[] {
    return [];
  }
}

class GroupedMember extends FlowMember {
  #size = 0;

  override get size(): number {
    return this.#size;
  }

  override rows(): Iterable<Row> {
    return (this.stages as ShownGroups | null)?.rows() ?? [];
  }

  override begin(changes: readonly Change[]): void {
    this.#size = 0;
    super.begin(changes);
  }

  override take(changes: readonly Change[]): RowChange[] {
    const differ = changes.some(isNone) ? changes.filter((change) => !isNone(change)) : changes;
    return differ.map(({ key, old, next }) => {
      this.count(bytesOfChange(old, next, ENTRY_BYTES));
      this.#size += (next === null ? 0 : 1) - (old === null ? 0 : 1);
      return { old: old && { key, values: old }, next: next && { key, values: next } };
    });
  }
}

/** What differs is not among what is shown. */
function isNone({ old, next }: Change): boolean {
  return old !== null && next !== null && same(old, next);
}

/** Whether the answer is the groups, each for itself, in no order. */
function isOfGroups({ windows, distinct, distinctOn, order, limit, offset }: Block): boolean {
  if (windows !== undefined || distinct || distinctOn !== undefined) return false;
  return order.length === 0 && limit === null && offset === null;
}
