import type { PgText } from '../value.js';

/*
 * What is held in memory, by estimate: counted as it comes and goes, so that asking costs nothing. The numbers are
 * those of V8 on 64 bits, rounded up; texts outside of Latin-1 take twice what is said here.
 */

/** An array of values, and the object that has it. */
const ROW_BYTES = 80;
/** A slot, and the header of a text. */
const VALUE_BYTES = 24;
/** An entry of a Map or a Set, at its usual load. */
export const ENTRY_BYTES = 48;

export function bytesOfValues(values: readonly (PgText | undefined)[]): number {
  let bytes = ROW_BYTES;
  for (const value of values) bytes += VALUE_BYTES + (value?.length ?? 0);
  return bytes;
}

/** What one row is more than another of as many values; those that are the same are not read. */
export function bytesBetween(old: readonly PgText[], next: readonly PgText[]): number {
  let bytes = 0;
  for (let at = 0; at < next.length; at++) {
    const before = old[at] ?? null;
    const value = next[at] ?? null;
    if (value !== before) bytes += (value?.length ?? 0) - (before?.length ?? 0);
  }
  return bytes;
}

/** @param width bytes of its values together */
export function bytesOfRow(columns: number, width: number): number {
  return ROW_BYTES + VALUE_BYTES * columns + width;
}

/** A text that something is found by. */
export function bytesOfEntry(value: string): number {
  return ENTRY_BYTES + VALUE_BYTES + value.length;
}

/** What one engine holds, added up over all its parts. */
export class HeldBytes {
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** @param by negative for what is let go */
  change(by: number): void {
    this.#total += by;
  }
}
