import { notReproduced } from '../expression/errors.js';
import { must } from '../assert.js';
import type { TypeRules } from '../engine/compare.js';
import type { PgText } from '../value.js';
import type { Block } from './plan.js';
import { equality, same, type Change, type KeyPart } from './row.js';
import { placeOf, rowOrder } from './row-order.js';

interface Candidate {
  readonly key: string;
  readonly values: readonly PgText[];
}

/**
 * DISTINCT ON: of the rows that are equal in some output columns, the first by ORDER BY. Where several are first and
 * are not the same, only Postgres knows which it shows.
 */
export class DistinctOn {
  readonly #parts: readonly { readonly column: number; readonly part: KeyPart }[];
  readonly #compare: (left: readonly PgText[], right: readonly PgText[]) => number;
  readonly #columns: readonly number[];
  readonly #candidates = new Map<string, Candidate[]>();
  readonly #groupOf = new Map<string, { readonly group: string; readonly candidate: Candidate }>();
  readonly #shown = new Map<string, readonly PgText[]>();

  constructor({ types, order }: Block, on: readonly number[], rules: TypeRules) {
    const typeOf = (column: number): Block['types'][number] =>
      must(types[column], 'the type of an output column');
    this.#parts = on.map((column) => ({ column, part: equality(typeOf(column), rules) }));
    this.#columns = order.map(({ column }) => column);
    const compare = rowOrder(
      order.map((term) => ({ ...term, type: typeOf(term.column) })),
      rules,
    );
    const ordered = (values: readonly PgText[]): readonly PgText[] =>
      this.#columns.map((column) => values[column] ?? null);
    this.#compare = (left, right) => compare(ordered(left), ordered(right));
  }

  /** @throws NotReproduced */
  apply(changes: readonly Change[]): Change[] {
    const touched = new Set<string>();
    for (const { key } of changes) {
      const held = this.#groupOf.get(key);
      if (held === undefined) continue;
      touched.add(held.group);
      this.#remove(held.group, held.candidate);
    }
    for (const { key, next } of changes) if (next !== null) touched.add(this.#add({ key, values: next }));
    return [...touched].flatMap((group) => {
      const old = this.#shown.get(group) ?? null;
      const next = this.#first(group);
      if (next === null) this.#shown.delete(group);
      else this.#shown.set(group, next);
      if (old === null && next === null) return [];
      return old !== null && next !== null && same(old, next) ? [] : [{ key: group, old, next }];
    });
  }

  #first(group: string): readonly PgText[] | null {
    const [first, ...others] = this.#candidates.get(group) ?? [];
    if (first === undefined) return null;
    for (const other of others) {
      if (this.#compare(first.values, other.values) !== 0) break;
      if (!same(first.values, other.values)) notReproduced('which of several first rows DISTINCT ON shows');
    }
    return first.values;
  }

  #add(candidate: Candidate): string {
    const group = this.#parts
      .map(({ column, part }) => part(candidate.values[column] ?? null) ?? '-')
      .join('');
    const candidates = this.#candidates.get(group) ?? [];
    this.#candidates.set(group, candidates);
    candidates.splice(this.#placeOf(candidates, candidate), 0, candidate);
    this.#groupOf.set(candidate.key, { group, candidate });
    return group;
  }

  #remove(group: string, candidate: Candidate): void {
    const candidates = must(this.#candidates.get(group), 'what goes was there');
    candidates.splice(this.#placeOf(candidates, candidate), 1);
    if (candidates.length === 0) this.#candidates.delete(group);
    this.#groupOf.delete(candidate.key);
  }

  #placeOf(candidates: readonly Candidate[], candidate: Candidate): number {
    return placeOf(candidates, (other) => {
      const order = this.#compare(other.values, candidate.values);
      return order < 0 || (order === 0 && other.key < candidate.key);
    });
  }
}
