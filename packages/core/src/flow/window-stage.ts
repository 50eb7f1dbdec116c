import type { PgText } from '../value.js';
import type { Compile } from './compile.js';
import { same, type Change } from './row.js';
import { WindowPartitions, type WindowRow } from './window-partition.js';
import type { Windows } from './plan.js';

interface Held {
  /** By window. */
  readonly places: readonly WindowRow[];
  readonly row: readonly PgText[];
  /** What was handed on last. */
  shown: readonly PgText[] | null;
}

/** The window functions of one member: to each row their values are added. */
export class WindowStage {
  readonly #at: number;
  readonly #windows: readonly WindowPartitions[];
  readonly #rows = new Map<string, Held>();

  constructor(plan: Windows, params: readonly PgText[], compile: Compile) {
    this.#at = plan.at;
    this.#windows = plan.over.map((one) => new WindowPartitions(one, params, compile));
  }

  /** @throws PgError, NotReproduced */
  apply(changes: readonly Change[]): Change[] {
    const before = new Map<string, readonly PgText[] | null>();
    for (const { key } of changes) {
      const held = this.#rows.get(key);
      before.set(key, held?.shown ?? null);
      if (held !== undefined) this.#remove(key, held);
    }
    for (const { key, next } of changes) if (next !== null) this.#add(key, next);
    const touched = new Set(before.keys());
    for (const window of this.#windows) for (const key of window.settle()) touched.add(key);
    const out: Change[] = [];
    for (const key of touched) {
      const held = this.#rows.get(key);
      const old = before.has(key) ? (before.get(key) ?? null) : (held?.shown ?? null);
      const next = held === undefined ? null : this.#valuesOf(held);
      if (held !== undefined) held.shown = next;
      if (old === null && next === null) continue;
      if (old === null || next === null || !same(old, next)) out.push({ key, old, next });
    }
    return out;
  }

  #add(key: string, row: readonly PgText[]): void {
    const places = this.#windows.map((window) => window.add(key, row));
    this.#rows.set(key, { places, row, shown: null });
  }

  #remove(key: string, { places }: Held): void {
    for (const [at, place] of places.entries()) this.#windows[at]?.remove(place);
    this.#rows.delete(key);
  }

  #valuesOf({ row, places }: Held): readonly PgText[] {
    const base = Array.from({ length: this.#at }, (_, column) => row[column] ?? null);
    return [...base, ...places.flatMap(({ values }) => values)];
  }
}
