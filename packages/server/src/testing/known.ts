import type { Lsn } from '@sluice/core/lsn';
import { expect } from 'vitest';
import type { Entry } from '../views/port.js';

const OPEN = 1n << 60n;

/** What a client of one view knows, by position: what it is told goes forward, and continues what it holds. */
export class Known {
  readonly #spans: { from: bigint; through: bigint; rows: string }[] = [];
  readonly #rows = new Map<string, unknown>();

  take(entry: Entry): void {
    const last = this.#spans.at(-1);
    if (entry.kind === 'gap') {
      if (last === undefined) return;
      expect(entry.through).toBeGreaterThanOrEqual(last.from); // it held, if only where it was made
      last.through = entry.through;
      return;
    }
    if (entry.kind === 'rows' || entry.kind === 'delta') this.#apply(entry.message);
    const from = fromOf(entry);
    // A new answer begins after the one before was known to hold.
    if (last && last.through !== OPEN) expect(from).toBeGreaterThan(last.through);
    if (last && last.through === OPEN) last.through = from - 1n;
    this.#spans.push({ from, through: OPEN, rows: sorted([...this.#rows.values()]) });
  }

  at(position: bigint): string | null {
    return this.#spans.findLast((span) => span.from <= position && position <= span.through)?.rows ?? null;
  }

  #apply(message: Uint8Array): void {
    const { rows = [], ops = [] } = JSON.parse(Buffer.from(message).toString()) as {
      rows?: [string, unknown][];
      ops?: ['put' | 'del', string, unknown][];
    };
    for (const [key, row] of rows) this.#rows.set(key, row);
    for (const [kind, key, row] of ops) {
      if (kind === 'put') this.#rows.set(key, row);
      else expect(this.#rows.delete(key)).toBe(true);
    }
  }
}

function fromOf(entry: Entry): Lsn {
  if (entry.kind === 'rows') return entry.at;
  if (entry.kind === 'delta') return entry.to;
  if (entry.kind === 'again') return entry.from;
  throw new Error(`unexpected ${entry.kind}`);
}

/** Rows in an order of their own, as one text. */
export function sorted(rows: readonly unknown[]): string {
  return rows
    .map((row) => JSON.stringify(row))
    .toSorted()
    .join();
}
