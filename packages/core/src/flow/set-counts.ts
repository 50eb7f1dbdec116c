import { must } from '../assert.js';
import type { TypeRules } from '../engine/compare.js';
import type { PgText } from '../value.js';
import type { SetOperation } from './plan.js';
import { equality, same, type Change, type KeyPart } from './row.js';
import { Texts } from './one-text.js';
import type { ValueType } from '../plan.js';

interface Counted {
  readonly texts: Texts;
  /** By input. */
  readonly counts: Map<number, number>;
  /** What was handed on last, and how often. */
  shown: Shown;
}

interface Shown {
  /** The columns. */
  readonly values: readonly PgText[];
  readonly times: number;
}

const NOTHING: Shown = { values: [], times: 0 };

/**
 * UNION, INTERSECT, EXCEPT of one member: equal rows are counted in each input, and are there as often as the
 * operation makes of these counts.
 */
export class SetCounts {
  readonly #operation: SetOperation;
  readonly #parts: readonly KeyPart[];
  readonly #rows = new Map<string, Counted>();

  constructor(operation: SetOperation, types: readonly ValueType[], rules: TypeRules) {
    this.#operation = operation;
    this.#parts = types.map((type) => equality(type, rules));
  }

  /** @throws NotReproduced where equal rows print differently */
  apply(changes: readonly Change[]): Change[] {
    const touched = new Map<string, Counted>();
    for (const { next } of changes) this.#count(next, 1, touched);
    for (const { old } of changes) this.#count(old, -1, touched);
    return [...touched].flatMap(([key, counted]) => {
      const was = counted.shown;
      const times = timesOf(this.#operation, counted.counts);
      const is = times === 0 ? NOTHING : { values: must(counted.texts.one(), 'a row'), times };
      counted.shown = is;
      if (counted.counts.size === 0) this.#rows.delete(key);
      return occurrences(key, was, is);
    });
  }

  #count(flat: readonly PgText[] | null, by: 1 | -1, touched: Map<string, Counted>): void {
    if (flat === null) return;
    const [input, ...values] = flat;
    const key = values.map((value, at) => this.#parts[at]?.(value) ?? '-').join('');
    const counted = this.#rows.get(key) ?? { texts: new Texts(), counts: new Map(), shown: NOTHING };
    this.#rows.set(key, counted);
    touched.set(key, counted);
    counted.texts.count(values, by);
    const left = (counted.counts.get(Number(input)) ?? 0) + by;
    if (left === 0) counted.counts.delete(Number(input));
    else counted.counts.set(Number(input), left);
  }
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
function occurrences(key: string, was: Shown, is: Shown): Change[] {
  const flat = ({ values, times }: Shown, at: number): readonly PgText[] | null =>
    at < times ? ['', ...values] : null;
  return Array.from({ length: Math.max(was.times, is.times) }, (_, at) => ({
    key: `${key}/${at}`,
    old: flat(was, at),
    next: flat(is, at),
  })).filter(({ old, next }) => old === null || next === null || !same(old, next));
}
