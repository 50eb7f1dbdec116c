import type { Joining } from './joining.js';
import { FlowMember, type Membership, type Tuples } from './member.js';
import { FewByKey } from '../few.js';
import type { CompiledBlock } from './compiled-block.js';
import type { Answers } from './maintained.js';
import type { PgText } from '../value.js';
import type { Block } from './plan.js';
import type { Change, Row, RowChange } from './row.js';
import { projector, type Project } from './stages.js';
import { isUnionAll } from './union-all.js';

/*
 * Answers that are but what the joined rows make are not held. A transaction's changes are told from the tuples that it
 * touches; the whole answer is made when somebody asks for it. So a binding of such a query is the rows of its inputs, and
 * a change has nothing else to find and to change.
 *
 * Who misses has the answer of before the transaction that it missed by (C6). That is made before the rows are
 * exchanged; for whoever is found to miss after that, they are exchanged back.
 */

/** @returns null for a block of which each member has to hold its answer */
export function madeAnswers(block: CompiledBlock, joining: Joining): Answers | null {
  return isPlain(block.plan) ? new MadeAnswers(block, joining) : null;
}

class MadeAnswers implements Answers {
  readonly #project: Project;
  readonly #joining: Joining;

  constructor(block: CompiledBlock, joining: Joining) {
    this.#project = projector(block);
    this.#joining = joining;
  }

  member(of: Membership, params: readonly PgText[], key: string): FlowMember {
    return new MadeMember(of, params, key, this);
  }

  settle(missed: Iterable<FlowMember>, exchange: () => void): void {
    const late = [...missed].filter((member) => member.started && !(member as MadeMember).isKept);
    if (late.length === 0) return;
    exchange();
    for (const member of late) member.keep();
    exchange();
  }

  project(changes: readonly Change[], params: readonly PgText[]): Change[] {
    return this.#project(changes, params);
  }

  /** Of a member that has an answer: so all of it is known. */
  *rows(member: FlowMember): Generator<Row> {
    const tuples: Tuples = new FewByKey();
    this.#joining.expand(member, [], tuples, unknown, { left: Infinity }, true);
    for (const { key, flat } of tuples.values())
      for (const { next } of this.#project([{ key, old: null, next: flat }], member.params))
        if (next !== null) yield { key, values: next };
  }
}

class MadeMember extends FlowMember {
  readonly #answers: MadeAnswers;
  #size = 0;
  #kept: readonly Row[] | null = null;

  constructor(of: Membership, params: readonly PgText[], key: string, answers: MadeAnswers) {
    super(of, params, key);
    this.#answers = answers;
  }

  get isKept(): boolean {
    return this.#kept !== null;
  }

  override get size(): number {
    return this.#kept?.length ?? this.#size;
  }

  override rows(): Iterable<Row> {
    return this.#kept ?? this.#answers.rows(this);
  }

  override shown(): readonly Row[] {
    return [...this.rows()];
  }

  override keep(): void {
    this.#kept ??= this.shown();
  }

  override begin(changes: readonly Change[]): void {
    this.#kept = null;
    this.#size = this.#answers.project(changes, this.params).length;
    this.started = true;
  }

  override change(changes: readonly Change[]): RowChange[] {
    return this.#answers.project(changes, this.params).map(({ key, old, next }) => {
      this.#size += (next === null ? 0 : 1) - (old === null ? 0 : 1);
      return { old: old && { key, values: old }, next: next && { key, values: next } };
    });
  }
}

function unknown(): never {
  throw new Error('assertion failed: what an answer was made of is there');
}

/** Whether the answer is the joined tuples, each for itself, in no order. */
function isPlain({ group, sets, windows, distinct, distinctOn, order, limit, offset }: Block): boolean {
  if (group !== null || windows !== undefined || distinct || distinctOn !== undefined) return false;
  if (sets !== undefined && !isUnionAll(sets.operation)) return false;
  return order.length === 0 && limit === null && offset === null;
}
