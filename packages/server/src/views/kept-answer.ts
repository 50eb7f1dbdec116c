import { createHash } from 'node:crypto';
import { diffRows, type KeyedRow } from '@sluice/core/engine/diff';
import { ENTRY_BYTES } from '@sluice/core/engine/held-bytes';
import type { EncodedOp } from '@sluice/core/engine/held-row';

/**
 * The last answer of a view that is run again: what the next is told as a difference to. Where it was let go, a digest
 * is left, by which the next is known to be the same; any other is told whole.
 */
export class KeptAnswer {
  readonly #ordered: boolean;
  #rows: readonly KeyedRow[] | null = [];
  #digest = '';
  #bytes = 0;

  /** @param ordered whether the same rows in another order are another answer */
  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** null when they were let go. */
  get rows(): readonly KeyedRow[] | null {
    return this.#rows;
  }

  /** What it takes, by estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  keep(rows: readonly KeyedRow[]): void {
    this.#rows = rows;
    this.#bytes = bytesOfAnswer(rows);
  }

  /** @param rows of which the digest alone is kept */
  letGo(rows: readonly KeyedRow[] | null = this.#rows): void {
    if (rows === null) return;
    this.#digest = this.#digestOf(rows);
    this.#rows = null;
    this.#bytes = 0;
  }

  /** The operations that lead to the next answer; null when it can be told only whole. */
  difference(next: readonly KeyedRow[]): EncodedOp[] | null {
    if (this.#rows !== null) return diffRows(this.#rows, next, this.#ordered);
    return this.#digest === this.#digestOf(next) ? [] : null;
  }

  #digestOf(rows: readonly KeyedRow[]): string {
    const lines = rows.map(({ keyJson, json }) => `${keyJson}\t${json}\n`);
    if (!this.#ordered) lines.sort();
    const hash = createHash('sha256');
    for (const line of lines) hash.update(line);
    return hash.digest('base64');
  }
}

export function bytesOfAnswer(rows: readonly KeyedRow[]): number {
  let bytes = 0;
  for (const { keyJson, json } of rows) bytes += keyJson.length + json.length + ENTRY_BYTES;
  return bytes;
}
