import type { PgText } from '../value.js';
import { appended, each, withOne, type Few } from '../few.js';
import { makeAggregate } from './aggregates.js';
import type { Compile } from './compile.js';
import type { Group, GroupingSet, GroupStage, Shared } from './group.js';
import { Texts } from './one-text.js';
import type { Grouping } from './plan.js';
import { equality, type Change } from './row.js';

/** A group, and each of its aggregates. */
const GROUP_BYTES = 300;
const STATE_BYTES = 100;

export function groupsMaker(
  plan: Grouping,
  compile: Compile,
  isTally = false,
): (params: readonly PgText[]) => GroupStage {
  const shared = sharedOf(plan, compile, isTally);
  const { groups: Made = Groups } = compile.pieces.operators;
  return (params) => new Made(shared, params);
}

export function sharedOf(plan: Grouping, compile: Compile, isTally: boolean): Shared {
  return {
    plan,
    states: plan.aggregates.map((one) => (params) => makeAggregate(one, params, compile)()),
    keys: plan.keys.map(compile),
    parts: plan.types.map((type) => equality(type, compile.pieces.types)),
    having: plan.having.map(compile),
    sets: setsOf(plan),
    isTally,
  };
}

/** GROUP BY and HAVING of one member. */
export class Groups implements GroupStage {
  readonly shared: Shared;
  readonly params: readonly PgText[];
  #groups: Map<string, Group> | null = null;
  heldBytes = 0;

  constructor(shared: Shared, params: readonly PgText[]) {
    this.shared = shared;
    this.params = params;
  }

  begin(): Change[] {
    const whole = this.shared.sets.filter(({ isWhole }) => isWhole);
    return this.#tell(whole.map((set) => this.#group(set, set.nothing)));
  }

  apply(changes: readonly Change[]): Change[] {
    let touched: Few<Group> | undefined;
    for (const { key, old, next, times = 1 } of changes) {
      if (old !== null) touched = this.#change(key, old, touched, -times);
      if (next !== null) touched = this.#change(key, next, touched, times);
    }
    return this.#tell(each(touched));
  }

  #change(
    key: string,
    tuple: readonly PgText[],
    touched: Few<Group> | undefined,
    by: number,
  ): Few<Group> | undefined {
    for (const set of this.shared.sets) {
      const keys = this.shared.keys.map((one, at) => (set.has[at] ? one(tuple, this.params) : null));
      const group = this.#group(set, keys);
      touched = withOne(touched, group);
      group.texts.count(keys, by);
      for (const state of group.states) {
        if (by > 0) state.add(key, tuple, by);
        else state.remove(key, tuple, -by);
      }
    }
    return touched;
  }

  /** In groups NULL equals NULL. */
  #group(set: GroupingSet, keys: readonly PgText[]): Group {
    let key = set.prefix;
    for (let at = 0; at < keys.length; at++) key += this.shared.parts[at]?.(keys[at] ?? null) ?? '-';
    return this.find(key) ?? this.add(key, set);
  }

  find(key: string): Group | undefined {
    return this.#groups?.get(key);
  }

  add(key: string, set: GroupingSet): Group {
    const states = this.shared.states.map((make) => make(this.params));
    const group = { key, set, states, texts: new Texts(), shown: null, bytes: 0 };
    (this.#groups ??= new Map()).set(key, group);
    return group;
  }

  drop({ key }: Group): void {
    this.#groups?.delete(key);
  }

  #tell(touched: Iterable<Group>): Change[] {
    // What one of them raises leaves all as they were shown.
    const told = [...touched].map((group) => ({ group, next: this.rowOf(group) }));
    let out: Change[] = [];
    for (const { group, next } of told) {
      const old = group.shown;
      group.shown = next;
      const isGone = group.texts.times === 0 && !group.set.isWhole;
      if (this.shared.isTally) {
        // What is shown of it is counted where it goes.
        let bytes = GROUP_BYTES + group.key.length;
        for (const { heldBytes = 0 } of group.states) bytes += STATE_BYTES + heldBytes;
        if (isGone) bytes = 0;
        this.heldBytes += bytes - group.bytes;
        group.bytes = bytes;
      }
      if (old !== null || next !== null) out = appended(out, { key: group.key, old, next });
      if (isGone) this.drop(group);
    }
    return out;
  }

  rowOf({ set, states, texts }: Group): readonly PgText[] | null {
    const keys = texts.one();
    if (keys === null && !set.isWhole) return null;
    const results = states.map((state) => state.result());
    const row = (keys ?? set.nothing).concat(results, set.marks);
    return this.shared.having.every((condition) => condition(row, this.params) === 't') ? row : null;
  }
}

function setsOf({ keys, sets, marks = [] }: Grouping): readonly GroupingSet[] {
  const all = sets ?? [keys.map((_, at) => at)];
  return all.map((set, index) => ({
    prefix: sets === undefined ? '' : `${index}/`,
    has: keys.map((_, at) => set.includes(at)),
    isWhole: set.length === 0,
    nothing: keys.map(() => null),
    marks: marks.map((of) => String(of.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0))),
  }));
}
