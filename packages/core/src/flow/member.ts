import type { PgText } from '../value.js';
import { same, type Change, type Row, type RowChange } from './row.js';
import { makeStages, type Stages } from './stages.js';
import type { CompiledBlock } from './compiled-block.js';

/** One combination of the inputs' rows. */
export interface Tuple {
  readonly key: string;
  readonly flat: readonly PgText[];
}

/** One binding of a block, and its answer. */
export class FlowMember {
  readonly params: readonly PgText[];
  readonly key: string;
  readonly #block: CompiledBlock;
  readonly #rows = new Map<string, Row>();
  #stages: Stages;
  started = false;

  constructor(block: CompiledBlock, params: readonly PgText[], key: string) {
    this.params = params;
    this.key = key;
    this.#block = block;
    this.#stages = makeStages(block, params);
  }

  /** Its answer, without an order. Each row has the parameters behind its columns, and a key that is its own. */
  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  /** In the order of the query, then of the keys. */
  shown(): readonly Row[] {
    return this.#stages
      .shown()
      .map((key) => this.#rows.get(key))
      .filter((row) => row !== undefined);
  }

  /** Begins anew with these tuples. */
  start(tuples: Iterable<Tuple>): void {
    this.#rows.clear();
    this.#stages = makeStages(this.#block, this.params);
    this.#take(this.#stages.begin());
    this.#take(this.#stages.apply(Array.from(tuples, ({ key, flat }) => ({ key, old: null, next: flat }))));
    this.started = true;
  }

  /** What it holds is no answer any more. */
  stop(): void {
    this.started = false;
  }

  /** The tuples under the anchors that a transaction touched, as they were and as they are. */
  update(before: ReadonlyMap<string, Tuple>, after: ReadonlyMap<string, Tuple>): RowChange[] {
    const changes: Change[] = [];
    for (const [key, { flat }] of before) if (!after.has(key)) changes.push({ key, old: flat, next: null });
    for (const [key, { flat }] of after) {
      const old = before.get(key)?.flat ?? null;
      if (old === null || !same(old, flat)) changes.push({ key, old, next: flat });
    }
    return changes.length === 0 ? [] : this.#take(this.#stages.apply(changes));
  }

  #take(changes: readonly Change[]): RowChange[] {
    const out: RowChange[] = [];
    for (const { key, next } of changes) {
      const old = this.#rows.get(key) ?? null;
      const row = next === null ? null : { key: this.key + key, values: [...next, ...this.params] };
      if (row === null) this.#rows.delete(key);
      else this.#rows.set(key, row);
      out.push({ old, next: row });
    }
    return out;
  }
}
