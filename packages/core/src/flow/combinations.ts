import type { FlowMember } from './member.js';

interface Parts {
  readonly row: string;
  readonly params: string;
}

/**
 * The keys of a subquery that is correlated with a row of its parent *and* with the block's own parameters. Which rows
 * and members meet is found when they are joined: a key is asked for then, and lives while there is a row of the
 * parent with its one part, and a member with its other.
 */
export class Combinations {
  readonly #parts = new Map<string, Parts>();
  readonly #byRow = new Map<string, Set<string>>();
  readonly #members = new Map<string, Set<FlowMember>>();
  readonly #released = new Set<string>();
  #left = false;

  enter(member: FlowMember, params: string): void {
    const members = this.#members.get(params);
    if (members) members.add(member);
    else this.#members.set(params, new Set([member]));
  }

  leave(member: FlowMember, params: string): void {
    const members = this.#members.get(params);
    members?.delete(member);
    if (members?.size !== 0) return;
    this.#members.delete(params);
    this.#left = true;
  }

  /** No row of the parent may have it any more. */
  release(row: string): void {
    this.#released.add(row);
  }

  add(key: string, parts: Parts): void {
    this.#parts.set(key, parts);
    const keys = this.#byRow.get(parts.row);
    if (keys) keys.add(key);
    else this.#byRow.set(parts.row, new Set([key]));
  }

  rowOf(key: string): string | undefined {
    return this.#parts.get(key)?.row;
  }

  membersOf(key: string): ReadonlySet<FlowMember> {
    const parts = this.#parts.get(key);
    return (parts && this.#members.get(parts.params)) ?? NOBODY;
  }

  /** @param hasRow whether a row of the parent has that part. @returns keys that are gone */
  sweep(hasRow: (row: string) => boolean): readonly string[] {
    const looked = this.#left ? [...this.#byRow.keys()] : [...this.#released];
    this.#released.clear();
    this.#left = false;
    const gone: string[] = [];
    for (const row of looked) {
      const isThere = hasRow(row);
      for (const key of this.#byRow.get(row) ?? [])
        if (!isThere || this.membersOf(key).size === 0) gone.push(key);
    }
    for (const key of gone) this.#forget(key);
    return gone;
  }

  #forget(key: string): void {
    const row = this.rowOf(key);
    this.#parts.delete(key);
    if (row === undefined) return;
    const keys = this.#byRow.get(row);
    keys?.delete(key);
    if (keys?.size === 0) this.#byRow.delete(row);
  }
}

const NOBODY: ReadonlySet<FlowMember> = new Set();
