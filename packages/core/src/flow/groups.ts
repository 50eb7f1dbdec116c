import type { Expression } from '../expression.js';
import type { Compiled } from './compile.js';
import type { PgText } from '../value.js';
import { makeAggregate, type AggregateState, type AggregateFactory } from './aggregates.js';
import type { Grouping } from './plan.js';
import { equality, type Change, type KeyPart } from './row.js';

interface Group {
  readonly key: string;
  readonly keys: readonly PgText[];
  readonly states: readonly AggregateState[];
  /** Joined tuples in it. */
  count: number;
  /** What was handed on last; null: nothing. */
  shown: readonly PgText[] | null;
}

/** GROUP BY and HAVING of one member. Without keys there is one group, also of nothing. */
export class Groups {
  readonly #keys: readonly Compiled[];
  readonly #parts: readonly KeyPart[];
  readonly #factories: readonly AggregateFactory[];
  readonly #having: readonly Compiled[];
  readonly #params: readonly PgText[];
  readonly #groups = new Map<string, Group>();
  readonly #isWhole: boolean;

  constructor(plan: Grouping, params: readonly PgText[], compile: (expression: Expression) => Compiled) {
    this.#keys = plan.keys.map(compile);
    this.#parts = plan.types.map(equality);
    this.#factories = plan.aggregates.map((aggregate) => makeAggregate(aggregate, params, compile));
    this.#having = plan.having.map(compile);
    this.#params = params;
    this.#isWhole = plan.keys.length === 0;
  }

  begin(): Change[] {
    if (!this.#isWhole) return [];
    const touched = new Set([this.#group([])]);
    return this.#tell(touched);
  }

  apply(changes: readonly Change[]): Change[] {
    const touched = new Set<Group>();
    for (const { key, old, next } of changes) {
      if (old !== null) touched.add(this.#remove(key, old));
      if (next !== null) touched.add(this.#add(key, next));
    }
    return this.#tell(touched);
  }

  #add(key: string, tuple: readonly PgText[]): Group {
    const group = this.#group(this.#keysOf(tuple));
    group.count++;
    for (const state of group.states) state.add(key, tuple);
    return group;
  }

  #remove(key: string, tuple: readonly PgText[]): Group {
    const group = this.#group(this.#keysOf(tuple));
    group.count--;
    for (const state of group.states) state.remove(key, tuple);
    return group;
  }

  #keysOf(tuple: readonly PgText[]): readonly PgText[] {
    return this.#keys.map((key) => key(tuple, this.#params));
  }

  /** In groups NULL equals NULL. */
  #group(keys: readonly PgText[]): Group {
    const key = keys.map((value, at) => this.#parts[at]?.(value) ?? '-').join('');
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { key, keys, states: this.#factories.map((make) => make()), count: 0, shown: null };
      this.#groups.set(key, group);
    }
    return group;
  }

  #tell(touched: ReadonlySet<Group>): Change[] {
    const out: Change[] = [];
    for (const group of touched) {
      const old = group.shown;
      const next = this.#rowOf(group);
      group.shown = next;
      if (group.count === 0 && !this.#isWhole) this.#groups.delete(group.key);
      if (old !== null || next !== null) out.push({ key: group.key, old, next });
    }
    return out;
  }

  #rowOf(group: Group): readonly PgText[] | null {
    if (group.count === 0 && !this.#isWhole) return null;
    const row = [...group.keys, ...group.states.map((state) => state.result())];
    return this.#having.every((condition) => condition(row, this.#params) === 't') ? row : null;
  }
}
