import { assert, must } from '../assert.js';
import { each, withOne, withoutOne, type Few } from '../few.js';
import type { PgText } from '../value.js';
import type { Compiled } from './compile.js';
import { compileBlock, type CompiledBlock, type CompiledInput } from './compiled-block.js';
import type { EngineParts } from './engine-pieces.js';
import type { Effects, ImageChange, TableChanges } from './images.js';
import { attempt } from './joining.js';
import type { Maintained, Need } from './maintained.js';
import { FlowMember, membershipOf, type Membership } from './member.js';
import type { Block, Source } from './plan.js';
import { identity, type Change, type Row, type RowChange } from './row.js';

/*
 * A block that aggregates one table, without the table's rows: a self-maintainable aggregate (Gupta, Mumick). The stream
 * brings of every change the whole row as it was and as it is. What was is taken out of its group, what is goes into its
 * group, and nothing else is looked at.
 *
 *   hydration     SELECT what the plan reads, count(*) … GROUP BY what the plan reads ──▶ groups
 *   transaction   (old, new), (old, new), … ──▶ net counts of images ──▶ groups
 *
 * There are no rows by which to tell that a change is in what was read already. So what was read at a snapshot stays
 * with the members that asked for it, in an engine of the batch's own, to which exactly the transactions are applied
 * that the snapshot did not see; the live engine then takes over the groups as they are. Members never begin from what
 * other members have asked for.
 */
export class TallyEngine implements Maintained {
  readonly block: CompiledBlock;
  readonly held = null;
  readonly children: readonly never[] = [];
  readonly isComputed = false;
  readonly asks = 0;
  readonly open: Set<FlowMember> = new Set();
  readonly #source: Source;
  readonly #input: CompiledInput;
  readonly #conditions: readonly Compiled[];
  readonly #membership: Membership;
  readonly #isLeft: ((member: FlowMember) => boolean) | null;
  readonly #members = new Map<string, FlowMember>();
  readonly #byKey = new Map<string, Few<FlowMember>>();
  /** By key: what was read, until those who asked for it have begun. */
  readonly #read = new Map<string, readonly Row[]>();
  /** Members of which all has been read, and that have no answer: only Postgres can tell. */
  readonly #vain = new WeakSet<FlowMember>();

  constructor(
    plan: Block,
    { compile, bytes }: EngineParts,
    isLeft: ((member: FlowMember) => boolean) | null,
  ) {
    this.block = compileBlock(plan, compile);
    this.#isLeft = isLeft;
    this.#membership = membershipOf(this.block, isLeft === null, bytes);
    this.#input = must(this.block.inputs[0], 'a tally has an input');
    const { of, offset } = this.#input.input;
    assert(of.kind === 'table' && offset === 0, 'a tally is of one table');
    this.#source = of;
    this.#conditions = [...this.block.first, ...this.#input.on, ...this.#input.where];
  }

  get heldRowCount(): number {
    return 0;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  add(params: readonly PgText[]): FlowMember {
    const key = params.map(identity).join('');
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const member = new FlowMember(this.#membership, params, key);
    this.#members.set(key, member);
    this.open.add(member);
    const demanded = this.#input.parentKey.of(params);
    if (demanded !== null) this.#byKey.set(demanded, withOne(this.#byKey.get(demanded), member));
    return member;
  }

  remove(member: FlowMember): void {
    this.#members.delete(member.key);
    member.release();
    this.open.delete(member);
    // What was read was read for them; when all go, the table may have been emptied.
    if (this.#members.size === 0) this.#read.clear();
    const demanded = this.#input.parentKey.of(member.params);
    if (demanded === null) return;
    const left = withoutOne(this.#byKey.get(demanded), member);
    if (left === undefined) this.#byKey.delete(demanded);
    else this.#byKey.set(demanded, left);
  }

  member(params: readonly PgText[]): FlowMember | undefined {
    return this.#members.get(params.map(identity).join(''));
  }

  members(): Iterable<FlowMember> {
    return this.#members.values();
  }

  /** A member of the outermost block that misses is read anew, whole: it is no member any more. */
  get isWanting(): boolean {
    if (this.#isLeft !== null) return false;
    for (const member of this.open) if (!member.started && !this.#vain.has(member)) return true;
    return false;
  }

  get isWaiting(): boolean {
    return this.open.size > 0;
  }

  *needs(beside: Maintained | null): Generator<Need> {
    const keys = new Map<string, readonly PgText[]>();
    let isWaiting = false;
    for (const member of this.open) {
      if (member.started || beside?.member(member.params)?.started === true) continue;
      isWaiting = true;
      const key = this.#input.parentKey.of(member.params);
      if (key !== null && !this.#read.has(key)) keys.set(key, this.#input.given(member.params, []));
    }
    if (!isWaiting) this.#read.clear();
    if (keys.size > 0) yield { engine: this, input: 0, keys };
  }

  cover(_input: number, key: string, rows: Iterable<Row>): void {
    if (this.#byKey.has(key)) this.#read.set(key, [...rows]);
  }

  /** Groups that are made again are read again: texts stand in them by the tokens of their order, which are others then. */
  fillFrom(other: Maintained, isRemade: boolean): boolean {
    let any = false;
    if (isRemade) return any;
    for (const member of this.open) {
      const theirs = member.started ? undefined : other.member(member.params);
      if (theirs === undefined) continue;
      if (theirs.started) {
        member.takeOver(theirs);
        any = true;
      } else {
        this.#vain.add(member);
      }
    }
    return any;
  }

  startChildren(): boolean {
    return false;
  }

  startAll(): void {
    for (const member of this.open) if (this.start(member)) this.open.delete(member);
  }

  start(member: FlowMember): boolean {
    if (member.started) return true;
    if (this.#isLeft?.(member) === true) return false;
    const key = this.#input.parentKey.of(member.params);
    const rows = key === null ? [] : this.#read.get(key);
    if (rows === undefined) return false;
    return attempt(
      () => member.begin(this.#changes(member, rows)),
      () => member.stop(),
    );
  }

  forget(key: string): void {
    const member = this.#members.get(key);
    if (member !== undefined) this.remove(member);
  }

  apply(changes: TableChanges): Effects {
    // Of before this transaction.
    this.#read.clear();
    const told = new Map<FlowMember, readonly RowChange[]>();
    const missed = new Set<FlowMember>();
    for (const [member, images] of this.#concerned(changes)) {
      const isTold = attempt(() => {
        const out = member.change(this.#changes(member, images));
        if (out.length > 0) told.set(member, out);
      });
      if (isTold) continue;
      missed.add(member);
      member.stop();
      this.#vain.delete(member);
      if (this.#isLeft === null) this.open.add(member);
      else this.remove(member);
    }
    return { changes: told, missed };
  }

  find(): null {
    return null;
  }

  sweep(): void {
    // What is held belongs to members.
  }

  #concerned({ images }: TableChanges): ReadonlyMap<FlowMember, readonly Tallied[]> {
    const concerned = new Map<FlowMember, Tallied[]>();
    for (const image of netOf(images.get(this.#source) ?? [])) {
      const key = this.#input.ownKey.of(image.values);
      if (key === null) continue;
      for (const member of each(this.#byKey.get(key))) {
        if (!member.started) continue;
        const own = concerned.get(member);
        if (own === undefined) concerned.set(member, [image]);
        else own.push(image);
      }
    }
    return concerned;
  }

  /** Equal images are one change. They have no keys: nothing that a tally is made of asks for them. */
  #changes({ params }: FlowMember, images: Iterable<Pick<Row, 'values' | 'times'>>): readonly Change[] {
    const changes: Change[] = [];
    for (const { values, times = 1 } of images) {
      if (!this.#conditions.every((condition) => condition(values, params) === 't')) continue;
      changes.push(
        times > 0
          ? { key: '', old: null, next: values, times }
          : { key: '', old: values, next: null, times: -times },
      );
    }
    return changes;
  }
}

/** So many rows more, or less, with these values of the source's columns. Never 0. */
interface Tallied {
  readonly values: readonly PgText[];
  readonly times: number;
}

/**
 * C10: what one transaction does to how many rows there are of each image, whatever it did in between. Rows have no
 * identity here: what became something else and was changed back, by whichever row, has not changed.
 */
function netOf(changes: readonly ImageChange[]): readonly Tallied[] {
  const counts = new Map<string, { readonly values: readonly PgText[]; times: number }>();
  const count = (values: readonly PgText[] | null, by: 1 | -1): void => {
    if (values === null) return;
    const key = values.map(identity).join('');
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { values, times: by });
    else known.times += by;
  };
  for (const { old, next } of changes) {
    count(old, -1);
    count(next, 1);
  }
  return [...counts.values()].filter(({ times }) => times !== 0);
}
