import { must } from '../assert.js';
import type { PgText } from '../value.js';
import type { SetOperation } from './plan.js';
import { identity, type Change } from './row.js';

interface Counted {
  /** The number of an input, and the columns. */
  readonly flat: readonly PgText[];
  /** By input. */
  readonly counts: Map<number, number>;
}

/**
 * UNION, INTERSECT, EXCEPT of one member: equal rows are counted in each input, and are there as often as the
 * operation makes of these counts.
 */
export class SetCounts {
  readonly #operation: SetOperation;
  readonly #rows = new Map<string, Counted>();

  constructor(operation: SetOperation) {
    this.#operation = operation;
  }

  apply(changes: readonly Change[]): Change[] {
    const before = new Map<string, number>();
    const rows = new Map<string, Counted>();
    const count = (flat: readonly PgText[] | null, by: number): void => {
      if (flat === null) return;
      const key = flat.slice(1).map(identity).join('');
      const counted = this.#rows.get(key) ?? { flat, counts: new Map<number, number>() };
      this.#rows.set(key, counted);
      rows.set(key, counted);
      if (!before.has(key)) before.set(key, timesOf(this.#operation, counted.counts));
      const input = Number(flat[0]);
      const left = (counted.counts.get(input) ?? 0) + by;
      if (left === 0) counted.counts.delete(input);
      else counted.counts.set(input, left);
    };
    for (const { next } of changes) count(next, 1);
    for (const { old } of changes) count(old, -1);
    return [...rows].flatMap(([key, { flat, counts }]) => {
      if (counts.size === 0) this.#rows.delete(key);
      return occurrences(key, flat, must(before.get(key), 'count'), timesOf(this.#operation, counts));
    });
  }
}

/** Whether rows stand for themselves, each with the key that it has: nothing is to be counted. */
export function isUnionAll(operation: SetOperation): boolean {
  if ('input' in operation) return true;
  return (
    operation.op === 'union' && operation.all && isUnionAll(operation.left) && isUnionAll(operation.right)
  );
}

/** How often a row is there. */
function timesOf(operation: SetOperation, counts: ReadonlyMap<number, number>): number {
  if ('input' in operation) return counts.get(operation.input) ?? 0;
  const left = timesOf(operation.left, counts);
  const right = timesOf(operation.right, counts);
  const { all } = operation;
  switch (operation.op) {
    case 'union':
      return all ? left + right : Math.min(left + right, 1);
    case 'intersect':
      return Math.min(left, right, all ? Infinity : 1);
    default:
      return all ? Math.max(left - right, 0) : left > 0 && right === 0 ? 1 : 0;
  }
}

/** Equal rows are told apart by their number. */
function occurrences(key: string, flat: readonly PgText[], was: number, is: number): Change[] {
  const changes: Change[] = [];
  for (let at = is; at < was; at++) changes.push({ key: `${key}/${at}`, old: flat, next: null });
  for (let at = was; at < is; at++) changes.push({ key: `${key}/${at}`, old: null, next: flat });
  return changes;
}
