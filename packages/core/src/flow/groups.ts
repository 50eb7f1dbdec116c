import type { PgText } from '../value.js';
import { appended, each, withOne, type Few } from '../few.js';
import type { AggregateState } from './aggregate-state.js';
import { makeAggregate } from './aggregates.js';
import type { Compile, Compiled } from './compile.js';
import { Texts } from './one-text.js';
import type { Grouping } from './plan.js';
import { equality, type Change, type KeyPart } from './row.js';

interface Group {
  readonly key: string;
  readonly set: GroupingSet;
  readonly states: readonly AggregateState[];
  /** Of the keys of its joined tuples. */
  readonly texts: Texts;
  /** What was handed on last; null: nothing. */
  shown: readonly PgText[] | null;
  heldBytes: number;
}

interface GroupingSet {
  /** Told apart from other sets by it. */
  readonly prefix: string;
  readonly has: readonly boolean[];
  /** One group, also of nothing. */
  readonly isWhole: boolean;
  readonly marks: readonly string[];
}

/** What the groups of all members share. */
interface Shared {
  readonly plan: Grouping;
  readonly compile: Compile;
  readonly keys: readonly Compiled[];
  readonly parts: readonly KeyPart[];
  readonly having: readonly Compiled[];
  readonly sets: readonly GroupingSet[];
  /** There are no rows whose memory is counted. */
  readonly isTally: boolean;
}

/** A group, and each of its aggregates. */
const GROUP_BYTES = 300;
const STATE_BYTES = 100;

export function groupsMaker(
  plan: Grouping,
  compile: Compile,
  isTally = false,
): (params: readonly PgText[]) => Groups {
  const shared: Shared = {
    plan,
    compile,
    keys: plan.keys.map(compile),
    parts: plan.types.map((type) => equality(type, compile.pieces.types)),
    having: plan.having.map(compile),
    sets: setsOf(plan),
    isTally,
  };
  return (params) => new Groups(shared, params);
}

/** GROUP BY and HAVING of one member. */
export class Groups {
  readonly #shared: Shared;
  readonly #params: readonly PgText[];
  readonly #groups = new Map<string, Group>();
  /** Of a tally, by estimate: its groups, and what their aggregates hold of values. */
  heldBytes = 0;

  constructor(shared: Shared, params: readonly PgText[]) {
    this.#shared = shared;
    this.#params = params;
  }

  begin(): Change[] {
    const whole = this.#shared.sets.filter(({ isWhole }) => isWhole);
    return this.#tell(
      whole.map((set) =>
        this.#group(
          set,
          set.has.map(() => null),
        ),
      ),
    );
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
    for (const set of this.#shared.sets) {
      const keys = this.#shared.keys.map((one, at) => (set.has[at] ? one(tuple, this.#params) : null));
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
    for (let at = 0; at < keys.length; at++) key += this.#shared.parts[at]?.(keys[at] ?? null) ?? '-';
    let group = this.#groups.get(key);
    if (group === undefined) {
      const { plan, compile } = this.#shared;
      const states = plan.aggregates.map((one) => makeAggregate(one, this.#params, compile)());
      group = { key, set, states, texts: new Texts(), shown: null, heldBytes: 0 };
      this.#groups.set(key, group);
    }
    return group;
  }

  #tell(touched: Iterable<Group>): Change[] {
    let out: Change[] = [];
    for (const group of touched) {
      const old = group.shown;
      const next = this.#rowOf(group);
      group.shown = next;
      const isGone = group.texts.isEmpty && !group.set.isWhole;
      if (isGone) this.#groups.delete(group.key);
      if (this.#shared.isTally) {
        // What is shown of it is counted where it goes.
        let bytes = isGone ? 0 : GROUP_BYTES + group.key.length;
        if (!isGone) for (const { heldBytes = 0 } of group.states) bytes += STATE_BYTES + heldBytes;
        this.heldBytes += bytes - group.heldBytes;
        group.heldBytes = bytes;
      }
      if (old !== null || next !== null) out = appended(out, { key: group.key, old, next });
    }
    return out;
  }

  #rowOf({ set, states, texts }: Group): readonly PgText[] | null {
    const keys = texts.one();
    if (keys === null && !set.isWhole) return null;
    const results = states.map((state) => state.result());
    const row = (keys ?? set.has.map(() => null)).concat(results, set.marks);
    return this.#shared.having.every((condition) => condition(row, this.#params) === 't') ? row : null;
  }
}

function setsOf({ keys, sets, marks = [] }: Grouping): readonly GroupingSet[] {
  const all = sets ?? [keys.map((_, at) => at)];
  return all.map((set, index) => ({
    prefix: sets === undefined ? '' : `${index}/`,
    has: keys.map((_, at) => set.includes(at)),
    isWhole: set.length === 0,
    marks: marks.map((of) => String(of.reduce((bits, key) => bits * 2 + (set.includes(key) ? 0 : 1), 0))),
  }));
}
