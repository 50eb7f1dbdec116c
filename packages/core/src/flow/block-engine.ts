import { must } from '../assert.js';
import { appended, FewByKey } from '../few.js';
import type { PgText, RowKey } from '../value.js';
import {
  compileBlock,
  demandsOf,
  hangsOnNothing,
  type CompiledBlock,
  type CompiledInput,
} from './compiled-block.js';
import { Combinations } from './combinations.js';
import { ABSENT, type InputRow, type ImagePair, type Key } from './input-row.js';
import { BelowKeys, InputStore, type Below } from './input-store.js';
import { attempt, Joining, visitsFor, type Held, type Visits } from './joining.js';
import type { Answers, Maintained, Need } from './maintained.js';
import { FlowMember, membershipOf, type Membership, type Tuples } from './member.js';
import type { Block } from './plan.js';
import type { EngineParts, MakeEngine } from './engine-pieces.js';
import { TouchedTuples, type Touching } from './touched-tuples.js';
import type { Effects, Images, TableChanges } from './images.js';
import { identity, type Row, type RowChange } from './row.js';
import { isTallied } from './tallied.js';

/*
 * How a transaction changes the answers of one block, for any number of bindings ("members").
 *
 * A changed row of an input is followed up the demand tree, from each input to the row of its parent that demands it,
 * to the members at the top. The rows on that path are the *anchor*: below it the joined tuples are made as they were
 * before the transaction, and again as they are after it; the difference is what changed. A row of a left join also
 * decides whether there is a tuple without it: whether another row is there beside it is looked up, and no more. Where
 * the path goes through EXISTS or a scalar subquery the anchor ends above it.
 *
 *        members ◀─── issue ◀─── comment (left)          a comment changes: the anchor is (member, issue, comment)
 *                       ▲
 *                       └─────── label (exists)          a label changes: the anchor is (member, issue)
 *
 * Every tuple that differs has a changed row in it or under its anchor, in the one state or in the other: so both
 * images of a changed row are followed in both states. No joined tuples are kept but those of answers that
 * members hold (`made-answers.ts` has the others).
 */

export const blockEngine: MakeEngine = (plan, parts, isLeft) =>
  isTallied(plan)
    ? must(parts.engines.tally, 'a plan names its chunks')(plan, parts, isLeft)
    : new BlockEngine(plan, parts, isLeft);

class BlockEngine implements Maintained {
  readonly block: CompiledBlock;
  readonly held: Held;
  readonly #stores: readonly InputStore[];
  readonly children: readonly (Maintained | null)[];
  /** By input: where rows of its parent demand its keys, or halves of them. */
  readonly #above: readonly (Below | null)[];
  readonly #members = new Map<string, FlowMember>();
  readonly open: Set<FlowMember> = new Set();
  readonly #needs: readonly Map<string, readonly PgText[]>[];
  /** Of parents whose rows need not be there, where subqueries hang on them. */
  readonly #nullable: readonly Below[];
  /** What is demanded where there is no such row, in their order: as long as there is a member. */
  #absent: readonly (Key | null | undefined)[] = [];
  readonly #mixed: readonly (Combinations | null)[];
  readonly #joining: Joining;
  readonly #touching: Touching;
  readonly isComputed: boolean;

  asks = 0;
  readonly #isLeft: ((member: FlowMember) => boolean) | null;
  readonly #membership: Membership;
  readonly #answers: Answers | null;

  constructor(plan: Block, parts: EngineParts, isLeft: ((member: FlowMember) => boolean) | null) {
    const { compile, bytes, newMap } = parts;
    this.#isLeft = isLeft;
    this.block = compileBlock(plan, compile);
    this.#membership = membershipOf(this.block, isLeft === null, bytes);
    const { inputs } = this.block;
    this.#needs = inputs.map(() => new Map());
    this.children = inputs.map(({ input }) =>
      input.of.kind === 'block' ? blockEngine(input.of.block, parts, null) : null,
    );
    this.isComputed = this.children.every((child) => child !== null && child.isComputed);
    this.#mixed = inputs.map(({ parentKey, paramKey }) =>
      paramKey === null ? null : new Combinations(parentKey),
    );
    this.#above = inputs.map(({ input, parentKey, given }, at) => {
      if (input.demand.parent === null) return null;
      const keys = new BelowKeys(
        parentKey,
        () => this.#store(at),
        (values) => given(values, []),
      );
      return this.#mixed[at] ?? keys;
    });
    const below = inputs.map((_, parent) =>
      inputs.flatMap(({ input }, at) => (input.demand.parent === parent ? [at] : [])),
    );
    const places = inputs.map(({ input }, at) => below[input.demand.parent ?? -1]?.indexOf(at) ?? -1);
    this.#stores = inputs.map(
      ({ ownKey, input: own }, at) =>
        new InputStore({
          ownKey,
          below: (below[at] ?? []).flatMap((one) => this.#above[one] ?? []),
          bytes,
          newMap,
          isShared: own.of.kind === 'block',
          onDemanded: (key) => this.#need(at, key),
        }),
    );
    this.#nullable = this.#above.flatMap((one, at) => (hangsOnNothing(plan, at) ? (one ?? []) : []));
    this.held = {
      block: this.block,
      stores: this.#stores,
      needed: this.#needs,
      places,
      mixed: this.#mixed,
      members: this.#members,
    };
    this.#joining = new Joining(this.held);
    this.#answers = isLeft === null ? null : parts.answers(this.block, this.#joining);
    this.#touching = {
      inputs,
      joining: this.#joining,
      members: () => this.#members.values(),
      // A key of tables that only now meets the member is to be fetched.
      onUnknown: (member, at, key, above) => this.#asked(member, at, key, above),
    };
  }

  get heldRowCount(): number {
    return this.#stores.reduce(
      (sum, store, at) => sum + (this.children[at]?.heldRowCount ?? store.rowCount),
      0,
    );
  }

  get memberCount(): number {
    return this.#members.size;
  }

  add(params: readonly PgText[]): FlowMember {
    const key = params.map(identity).join('');
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const member =
      this.#answers?.member(this.#membership, params, key) ?? new FlowMember(this.#membership, params, key);
    this.#members.set(key, member);
    this.open.add(member);
    if (this.#members.size === 1) this.#absent = this.#nullable.map((above) => above.add(ABSENT));
    for (const [at, demanded] of demandsOf(this.block, member.params)) {
      this.#store(at).demand(demanded, () => this.#input(at).given(params, []));
      this.#store(at).enter(demanded, member);
    }
    for (const [at, mixed] of this.#mixed.entries()) mixed?.enter(member, this.#paramKey(at, member));
    return member;
  }

  remove(member: FlowMember): void {
    this.#members.delete(member.key);
    member.release();
    this.open.delete(member);
    if (this.#members.size === 0)
      for (const [at, above] of this.#nullable.entries()) above.remove(ABSENT, this.#absent[at]);
    for (const [at, demanded] of demandsOf(this.block, member.params))
      this.#store(at).leave(demanded, member);
    for (const [at, mixed] of this.#mixed.entries()) mixed?.leave(member, this.#paramKey(at, member));
  }

  *needs(beside: Maintained | null = null): Generator<Need> {
    for (const [input, keys] of this.#needs.entries()) {
      const known = beside?.held?.stores[input];
      const unknown = [...keys].filter(([key]) => known?.isCovered(key) !== true);
      keys.clear();
      if (unknown.length > 0) yield { engine: this, input, keys: new Map(unknown) };
    }
    for (const [at, child] of this.children.entries())
      if (child !== null) yield* child.needs(beside?.children[at] ?? null);
  }

  get isWaiting(): boolean {
    return this.open.size > 0;
  }

  cover(input: number, key: string, rows: Iterable<Row>): void {
    const store = must(this.#stores[input], 'store');
    if (store.key(key)?.isCovered === false) store.cover(key, rows);
  }

  startChildren(visits: Visits): boolean {
    let any = false;
    for (const [at, child] of this.children.entries()) {
      if (child === null) continue;
      while (child.startChildren(visits)) any = true;
      const [store, { asks }] = [this.#store(at), child];
      for (const member of child.open) {
        if (!store.isCovered(member.key)) {
          if (!child.start(member, visits)) continue;
          store.cover(member.key, member.rows());
          any = true;
        }
        child.open.delete(member);
      }
      if (child.asks > asks) any = true;
    }
    return any;
  }

  startAll(): void {
    const visits = visitsFor(this.open.size);
    for (;;) {
      let any = this.startChildren(visits);
      for (const member of this.open) {
        if (!member.started) {
          if (!this.start(member)) continue;
          any = true;
        }
        this.open.delete(member);
      }
      if (this.startChildren(visits)) any = true;
      if (!any) return;
    }
  }

  member(params: readonly PgText[]): FlowMember | undefined {
    return this.#members.get(params.map(identity).join(''));
  }

  members(): Iterable<FlowMember> {
    return this.#members.values();
  }

  start(member: FlowMember, visits?: Visits): boolean {
    if (member.started) return true;
    if (this.#isLeft?.(member) === true) return false;
    const tuples: Tuples = new FewByKey();
    return attempt(
      () => {
        const isWhole = this.#joining.expand(member, [], tuples, this.#touching.onUnknown, visits);
        if (isWhole) member.start(tuples.values());
        return isWhole;
      },
      () => member.stop(),
    );
  }

  apply(changes: TableChanges): Effects {
    let images: Images[] = [];
    for (let at = 0; at < this.#stores.length; at++) {
      const own = this.#imagesOf(at, changes);
      if (own) images = appended(images, own);
    }
    const missed = new Set<FlowMember>();
    const touched = new TouchedTuples(this.#touching, missed);
    touched.collect('old', images);
    if (missed.size > 0) for (const member of missed) if (member.started) member.keep();
    this.#exchange(images);
    touched.collect('next', images);
    const told = new Map<FlowMember, readonly RowChange[]>();
    for (const { member, old, next } of touched.all()) {
      if (!member.started || missed.has(member)) continue;
      const isTold = attempt(() => {
        const out = member.update(old, next);
        if (out.length > 0) told.set(member, out);
      });
      if (!isTold) missed.add(member);
    }
    if (missed.size > 0) {
      this.#answers?.settle(missed, () => this.#exchange(images));
      for (const member of missed) {
        if (!member.started) missed.delete(member);
        member.stop();
        this.open.add(member);
      }
    }
    return { changes: told, missed };
  }

  find(table: number, key: RowKey): Row | null {
    for (let at = 0; at < this.#stores.length; at++) {
      const { of } = this.#input(at).input;
      const row =
        of.kind === 'block'
          ? this.children[at]?.find(table, key)
          : of.table === table
            ? this.#stores[at]?.find(key)
            : null;
      if (row) return row;
    }
    return null;
  }

  sweep(): void {
    for (let at = 0; at < this.#stores.length; at++) {
      const store = this.#store(at);
      const child = this.children[at];
      let gone = store.sweep();
      const mixed = this.#mixed[at]?.sweep();
      if (mixed) {
        for (const key of mixed) store.drop(key);
        gone = gone.concat(mixed);
      }
      for (const key of gone) {
        this.#needs[at]?.delete(key);
        child?.forget(key);
      }
      child?.sweep();
    }
  }

  forget(key: string): void {
    const member = this.#members.get(key);
    if (member !== undefined) this.remove(member);
  }

  #store(at: number): InputStore {
    return must(this.#stores[at], 'store');
  }

  #input(at: number): CompiledInput {
    return must(this.block.inputs[at], 'input');
  }

  #paramKey(at: number, member: FlowMember): string {
    return this.block.inputs[at]?.paramKey?.of(member.params) ?? '';
  }

  /** Asks for a key that is not known, where it is found only now. @returns whether it is known then */
  #asked(member: FlowMember, at: number, key: string, above: readonly PgText[]): boolean {
    if (this.#mixed[at]) this.#combine(at, key, above, member);
    return this.#stores[at]?.isCovered(key) === true;
  }

  /** The key of a subquery that a row of the parent and a member make together. */
  #combine(at: number, key: string, above: readonly PgText[], member: FlowMember): void {
    const store = this.#store(at);
    if (store.key(key) !== undefined) return;
    const compiled = this.#input(at);
    const row = must(compiled.parentKey.of(above), 'a key');
    this.#mixed[at]?.combine(key, { row, params: this.#paramKey(at, member) });
    const given = compiled.given(above, member.params);
    this.asks++;
    store.demand(key, () => given);
  }

  /** A demanded key whose rows are not known. */
  #need(at: number, { text, given }: Key): void {
    const child = this.children[at] ?? null;
    if (child === null) this.#needs[at]?.set(text, given);
    else this.#begin(at, text, child.add(given));
  }

  /** What reads no table is there at once. */
  #begin(at: number, key: string, member: FlowMember): void {
    const child = must(this.children[at] ?? null, 'child');
    if (!child.isComputed) return;
    const visits = visitsFor(1);
    while (child.startChildren(visits));
    if (child.start(member)) this.#stores[at]?.cover(key, member.rows());
  }

  /** Null where nothing changed. */
  #imagesOf(at: number, changes: TableChanges): Images | null {
    const { of } = this.#input(at).input;
    const store = this.#store(at);
    if (of.kind === 'block') {
      const { changes: told, missed } = must(this.children[at] ?? null, 'child').apply(changes);
      let rows: ImagePair[] = [];
      for (const own of told.values()) rows = pairsOf(store, own, rows);
      return { at, rows, lost: Array.from(missed, ({ key }) => key), blind: [] };
    }
    const own = changes.rows.get(of.table);
    if (own === undefined) return null;
    const blind: (string | null)[] = [];
    for (const { partial } of own) if (partial !== undefined) blind.push(...this.#blindKeys(at, partial));
    return { at, rows: pairsOf(store, own, []), lost: [], blind };
  }

  /** A row came of which not everything was sent: whom it concerns is known where its key was. */
  #blindKeys(at: number, partial: readonly (PgText | undefined)[]): readonly (string | null)[] {
    const { input, ownKey } = this.#input(at);
    if (input.demand.pairs.some(({ column }) => partial[column] === undefined)) return [null];
    const key = ownKey.of(partial.map((value) => value ?? null));
    return key !== null && this.#stores[at]?.isCovered(key) === true ? [key] : [];
  }

  /**
   * All that go, then all that come: rows may exchange their keys. Who stays under its key changes where it is. Done once
   * more, it is undone.
   */
  #exchange(images: readonly Images[]): void {
    const coming: (readonly [store: InputStore, row: InputRow, own: Key])[] = [];
    for (const { at, rows, lost, blind } of images) {
      const store = this.#store(at);
      for (const key of lost) store.uncover(key);
      for (const text of blind.includes(null) ? [...store.covered()] : blind) {
        const key = text === null ? undefined : store.key(text);
        if (key?.isCovered !== true) continue;
        store.uncover(key.text);
        this.#need(at, key);
      }
      for (const pair of rows) {
        const { old, next } = pair;
        if (old !== null && next?.own === old.own && next.key === old.key) {
          if (old.own?.isCovered !== true) continue;
          const isBack = store.find(old.key) !== old;
          store.exchange(isBack ? next : old, isBack ? old : next);
          pair.old = next;
          pair.next = old;
          continue;
        }
        for (const row of [old, next]) {
          if (row?.own?.isCovered !== true) continue;
          if (store.find(row.key) === row) store.remove(row);
          else coming.push([store, row, row.own]);
        }
      }
    }
    for (const [store, row, own] of coming) store.put(row, own);
  }
}

/** What changes are to the rows that a store holds. @param pairs of before them */
function pairsOf(store: InputStore, changes: readonly RowChange[], pairs: ImagePair[]): ImagePair[] {
  for (const { old: before, next: after } of changes) {
    const old = before === null ? null : (store.find(before.key) ?? null);
    const next = after === null ? null : store.image(after, old);
    if (old !== null || next !== null) pairs = appended(pairs, { old, next });
  }
  return pairs;
}
