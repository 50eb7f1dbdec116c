import type { PgText } from '../value.js';
import { same, type Change, type Row, type RowChange } from './row.js';
import { makeStages, type Placed, type Stages } from './stages.js';
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
  /** Null until it is started: what its parameters say may be an error. */
  #stages: Stages | null = null;
  started = false;

  constructor(block: CompiledBlock, params: readonly PgText[], key: string) {
    this.params = params;
    this.key = key;
    this.#block = block;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Its answer, without an order. Each row has the parameters behind its columns, and a key that is its own. */
  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  /** In the order of the query, then of the keys. */
  shown(): readonly Row[] {
    return (this.#stages?.shown() ?? []).map((key) => this.#rows.get(key)).filter((row) => row !== undefined);
  }

  /** Rows of the answer, by their keys, in the order of the query, each with the key of the row before it. */
  placesOf(rowKeys: readonly string[]): readonly Placed[] {
    const own = rowKeys.map((key) => key.slice(this.key.length));
    const whole = (key: string | null): string | null => (key === null ? null : this.key + key);
    return (this.#stages?.placesOf(own) ?? []).map(({ key, previous }) => ({
      key: this.key + key,
      previous: whole(previous),
    }));
  }

  row(rowKey: string): Row | undefined {
    return this.#rows.get(rowKey.slice(this.key.length));
  }

  /** Begins anew with these tuples. */
  start(tuples: Iterable<Tuple>): void {
    this.#rows.clear();
    const stages = makeStages(this.#block, this.params);
    this.#stages = stages;
    this.#take(stages.begin());
    this.#take(stages.apply(Array.from(tuples, ({ key, flat }) => ({ key, old: null, next: flat }))));
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
    if (changes.length === 0 || this.#stages === null) return [];
    return this.#take(this.#stages.apply(changes));
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
