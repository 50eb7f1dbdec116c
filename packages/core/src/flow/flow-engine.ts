import { isWhole } from '../engine/row-layout.js';
import { HeldBytes } from '../engine/held-bytes.js';
import type { PartialRow, RowEvent } from '../engine/table-engine.js';
import { appended, FewByKey } from '../few.js';
import type { PgText, RowKey } from '../value.js';
import { blockEngine } from './block-engine.js';
import { compiler, isForPostgres, type Compiled } from './compile.js';
import type { EnginePieces } from './engine-pieces.js';
import type { Events, ImageChange } from './images.js';
import type { MakeAnswers, Maintained, Need } from './maintained.js';
import type { FlowMember } from './member.js';
import type { Block, Source } from './plan.js';
import { same, type Row, type RowChange, type TableChange } from './row.js';

/** What one transaction does to the answers. */
export interface FlowEffects {
  readonly changes: ReadonlyMap<FlowMember, readonly RowChange[]>;
  /**
   * Members whose answer can no longer be told from what is held. They *wait*: what they demand is held and followed
   * on, until what they miss is filled or learnt, or they are removed. Where a table was emptied they are members no
   * more.
   */
  readonly missed: ReadonlySet<FlowMember>;
}

/**
 * One template of any query, maintained for any number of bindings.
 *
 * Contract. The caller feeds every change of the plan's tables, in WAL order, one transaction at a time. A member is
 * taken in by `add`; then what `needs` asks for is fetched at one snapshot and given to `fill`, until nothing is asked
 * for any more, and `start` makes its answer. All of that is at one position: that of the changes fed so far.
 * Who merges engines is `merging-engine.ts`.
 */
export class FlowEngine {
  readonly root: Maintained;
  readonly #constants: readonly Compiled[];
  readonly #bytes = new HeldBytes();
  /** The engine that it complements. */
  beside: Maintained | null = null;
  /** What it complements was emptied: nothing that it holds is known. */
  isVoid = false;

  /** @param pieces those of the chunks that the plan names @param answers of blocks whose members need not hold theirs */
  constructor(plan: Block, pieces: EnginePieces, answers: MakeAnswers = () => null) {
    const compile = compiler(pieces);
    this.#constants = (plan.constants ?? []).map(compile);
    const parts = { ...pieces, compile, bytes: this.#bytes, answers };
    this.root = blockEngine(plan, parts, (member) => this.#raises(member));
  }

  get heldRowCount(): number {
    return this.root.heldRowCount;
  }

  /** By estimate. */
  get heldBytes(): number {
    return this.#bytes.total;
  }

  add(params: readonly PgText[]): FlowMember {
    return this.root.add(params);
  }

  remove(member: FlowMember): void {
    this.root.remove(member);
    this.root.sweep();
  }

  needs(): readonly Need[] {
    this.root.startAll();
    return [...this.root.needs(this.beside)];
  }

  /** @param rows by key of the need: all rows of the table that agree with its values */
  fill({ engine, input, keys }: Need, rows: ReadonlyMap<string, readonly Row[]>): void {
    for (const key of keys.keys()) engine.cover(input, key, rows.get(key) ?? []);
  }

  /** @returns false when not all is there, or only Postgres can tell */
  start(member: FlowMember): boolean {
    return this.root.start(member);
  }

  /** Whether Postgres raises an error before it looks at any row. */
  #raises({ params }: FlowMember): boolean {
    try {
      for (const constant of this.#constants) constant([], params);
      return false;
    } catch (error) {
      if (isForPostgres(error)) return true;
      throw error;
    }
  }

  /**
   * Applies one transaction.
   * @param events by table
   * @param images by tallied source, as it stands in the plan
   */
  apply(events: Events, images: ReadonlyMap<Source, readonly ImageChange[]> = new Map()): FlowEffects {
    const rows = new FewByKey<number, readonly TableChange[]>();
    for (const [table, ofTable] of events) {
      if (ofTable.includes('truncate')) return this.#missAll();
      rows.set(table, this.#net(table, ofTable));
    }
    const effects = this.root.apply({ rows, images });
    // What a member that waits had demanded it may demand again.
    if (!this.root.isWaiting) this.root.sweep();
    return effects;
  }

  /** All that is held is let go: a table was emptied, or it is not known what happened. */
  #missAll(): FlowEffects {
    const missed = new Set([...this.root.members()].filter(({ started }) => started));
    for (const member of missed) member.keep();
    for (const member of this.root.members()) this.root.remove(member);
    this.isVoid = this.beside !== null;
    this.root.sweep();
    return { changes: new Map(), missed };
  }

  /** C10: what one transaction does to each row, whatever it did in between. No table of it was emptied. */
  #net(table: number, events: readonly RowEvent[]): readonly TableChange[] {
    const rows = new FewByKey<RowKey, Touched>();
    const touched = (key: RowKey): Touched => {
      let row = rows.get(key);
      if (row === undefined) rows.set(key, (row = { key, before: this.root.find(table, key), values: null }));
      return row;
    };
    for (const event of events) {
      const { oldKey, newKey, values, oldValues } = event as Exclude<RowEvent, 'truncate'>;
      let old: PartialRow | undefined;
      if (oldKey !== null) {
        const row = touched(oldKey);
        old = row.values ?? row.before?.values ?? oldValues;
        row.values = null;
      }
      if (newKey !== null) touched(newKey).values = filled(values, old);
    }
    let changes: TableChange[] = [];
    for (const { key, before: old, values } of rows.values()) {
      if (values === null || !isWhole(values))
        changes = appended(changes, { old, next: null, partial: values ?? undefined });
      else if (old === null || !same(old.values, values))
        changes = appended(changes, { old, next: { key: old?.key ?? key, values } });
    }
    return changes;
  }
}

/** A row of a table in one transaction. */
interface Touched {
  readonly key: RowKey;
  readonly before: Row | null;
  /** As far as the transaction has come; null: it is gone. */
  values: PartialRow | null;
}

function filled(values: PartialRow, old: PartialRow | undefined): PartialRow {
  if (old === undefined || !values.includes(undefined)) return values;
  return values.map((value, column) => (value === undefined ? old[column] : value));
}
