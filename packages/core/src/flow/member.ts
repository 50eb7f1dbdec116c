import { bytesBetween, bytesOfValues, ENTRY_BYTES, type HeldBytes } from '../engine/held-bytes.js';
import { appended, type FewByKey } from '../few.js';
import type { PgText } from '../value.js';
import type { CompiledBlock } from './compiled-block.js';
import { same, type Change, type Row, type RowChange } from './row.js';
import { stageMaker, type Placed, type StageMaker, type Stages } from './stages.js';

/** One combination of the inputs' rows. */
export interface Tuple {
  readonly key: string;
  readonly flat: readonly PgText[];
}

/** By their keys. */
export type Tuples = FewByKey<string, Tuple>;

/** What all members of a block share. */
export interface Membership {
  readonly makeStages: StageMaker;
  /** Of a block within another: its rows have the parameters behind their columns, and keys that are their own there. */
  readonly isWithin: boolean;
  /** A stage holds what it was given of each joined tuple. */
  readonly keepsTuples: boolean;
  readonly bytes: HeldBytes;
}

export function membershipOf(block: CompiledBlock, isWithin: boolean, bytes: HeldBytes): Membership {
  return { makeStages: stageMaker(block), isWithin, keepsTuples: block.keepsTuples, bytes };
}

/** One binding of a block, and its answer. */
export class FlowMember {
  readonly params: readonly PgText[];
  readonly key: string;
  readonly #of: Membership;
  #rows: Map<string, Row> | null = null;
  /** Null until it is started: what its parameters say may be an error. */
  stages: Stages | null = null;
  started = false;
  /** Who took it in: found without looking it up. */
  owner: object | null = null;
  #bytes = 0;
  /** Of what its stages hold: among the bytes. */
  #ofStages = 0;

  constructor(of: Membership, params: readonly PgText[], key: string) {
    this.params = params;
    this.key = key;
    this.#of = of;
  }

  get size(): number {
    return this.#rows?.size ?? 0;
  }

  /** It is no member any more. */
  release(): void {
    this.count(-this.#bytes);
    this.#ofStages = 0;
  }

  /** Its answer, without an order. */
  rows(): Iterable<Row> {
    return this.#rows?.values() ?? [];
  }

  /** What its answer is made of is about to change: it is to have it as it is. */
  keep(): void {
    // It has.
  }

  /** In the order of the query, then of the keys. */
  shown(): readonly Row[] {
    const keys = this.stages?.shown() ?? null;
    if (keys === null) return [...this.rows()];
    return keys.map((key) => this.#rows?.get(key)).filter((row) => row !== undefined);
  }

  /** Of a block that is not within another: rows of the answer, by their keys, in the order of the query, each with the key of the row before it. */
  placesOf(rowKeys: readonly string[]): readonly Placed[] {
    return this.stages?.placesOf(rowKeys) ?? [];
  }

  /** Of a block with an order. */
  row(rowKey: string): Row | undefined {
    return this.#rows?.get(rowKey);
  }

  /** Begins anew with these tuples. */
  start(tuples: Iterable<Tuple>): void {
    this.begin(Array.from(tuples, ({ key, flat }) => ({ key, old: null, next: flat })));
  }

  /** Begins anew with what comes. */
  begin(changes: readonly Change[]): void {
    this.#rows?.clear();
    this.release();
    const stages = this.#of.makeStages(this.params);
    this.stages = stages;
    this.take(stages.begin());
    this.#keep(changes);
    this.take(stages.apply(changes));
    this.#weigh(stages);
    this.started = true;
  }

  /** Begins as another of the same binding, which is not used any more, stands at the same position. */
  takeOver(other: FlowMember): void {
    this.release();
    this.#rows = other.#rows;
    this.stages = other.stages;
    this.#ofStages = other.#ofStages;
    this.count(other.#bytes);
    this.started = true;
  }

  /** What it holds is no answer any more. */
  stop(): void {
    this.started = false;
  }

  /** The tuples under the anchors that a transaction touched, as they were and as they are. */
  update(before: Tuples, after: Tuples): RowChange[] {
    let changes: Change[] = [];
    for (const { key, flat } of before.values())
      if (!after.get(key)) changes = appended(changes, { key, old: flat, next: null });
    for (const { key, flat } of after.values()) {
      const old = before.get(key)?.flat ?? null;
      if (old === null || !same(old, flat)) changes = appended(changes, { key, old, next: flat });
    }
    return this.change(changes);
  }

  change(changes: readonly Change[]): RowChange[] {
    if (changes.length === 0 || this.stages === null) return [];
    this.#keep(changes);
    const out = this.take(this.stages.apply(changes));
    this.#weigh(this.stages);
    return out;
  }

  take(changes: readonly Change[]): RowChange[] {
    const rows = (this.#rows ??= new Map());
    return changes.map(({ key, next }) => {
      const old = rows.get(key) ?? null;
      const row = next && this.#row(key, old, next);
      this.count(bytesOfChange(old?.values ?? null, row?.values ?? null, ENTRY_BYTES));
      if (row === null) rows.delete(key);
      else rows.set(key, row);
      return { old, next: row };
    });
  }

  #row(key: string, old: Row | null, values: readonly PgText[]): Row {
    // The key that is held already is kept: of what a change makes as little as can be stays in memory.
    if (!this.#of.isWithin) return { key: old?.key ?? key, values };
    return { key: old?.key ?? this.key + key, values: [...values, ...this.params] };
  }

  #keep(changes: readonly Change[]): void {
    if (!this.#of.keepsTuples) return;
    for (const { old, next } of changes) this.count(bytesOfChange(old, next, 0));
  }

  #weigh({ heldBytes }: Stages): void {
    this.count(heldBytes - this.#ofStages);
    this.#ofStages = heldBytes;
  }

  count(by: number): void {
    this.#bytes += by;
    this.#of.bytes.change(by);
  }
}

/** @param entry what holds a row */
export function bytesOfChange(
  old: readonly PgText[] | null,
  next: readonly PgText[] | null,
  entry: number,
): number {
  if (old !== null && next !== null) return bytesBetween(old, next);
  return (next === null ? 0 : bytesOfValues(next) + entry) - (old === null ? 0 : bytesOfValues(old) + entry);
}
