import type { PgText } from '../value.js';
import type { AggregateState } from './aggregate-state.js';
import type { Group, GroupingSet } from './group.js';
import { Groups } from './groups.js';
import { Texts } from './one-text.js';
import type { Aggregate } from './plan.js';

/*
 * Groups where members are very many, and have a few groups each. What a change makes and leaves in memory is copied by
 * the collector, twice, and is far from all else when it is looked at again. So a group is one object, of one member all
 * of them are a list without an object of its own, what is shown changes where it is, and groups that nobody is in any
 * more are used again for others that come.
 */

/** More are found by a Map. */
const LISTED_MAX = 8;
const FREE_MAX = 100;

/** Of no member, with nothing in them. */
const free: HeldGroup[] = [];

/** With the texts of its keys, and as the state of what counts its tuples. */
class HeldGroup extends Texts implements Group, AggregateState {
  readonly texts: Texts = this;
  key = '';
  set: GroupingSet;
  states: readonly AggregateState[] = [];
  bytes = 0;
  /** Of few: that came after it. */
  next: HeldGroup | null = null;
  #keys: PgText[] = [];
  #isShown = false;
  #shown: PgText[] = [];

  constructor(set: GroupingSet) {
    super();
    this.set = set;
  }

  get shown(): readonly PgText[] | null {
    return this.#isShown ? [...this.#shown] : null;
  }

  set shown(values: readonly PgText[] | null) {
    this.#isShown = values !== null;
    if (values !== null) this.#shown = written(this.#shown, values);
  }

  override count(values: readonly PgText[], by: number): void {
    super.count(this.times === 0 ? (this.#keys = written(this.#keys, values)) : values, by);
  }

  add(): void {
    // They are counted with their texts.
  }

  remove(): void {
    // As well.
  }

  result(): PgText {
    return String(this.times);
  }

  /** It shows nothing any more, and nothing is left of whom it was of. */
  clear(): void {
    this.key = '';
    if (this.states.some((state) => state !== this)) this.states = [];
    this.bytes = 0;
    this.next = null;
    super.count(this.#keys.fill(null), 0);
    this.#shown.fill(null);
  }
}

export class HeldGroups extends Groups {
  /** Of few, in the order in which they came. */
  #first: HeldGroup | null = null;
  #many: Map<string, HeldGroup> | null = null;

  /** All of them. */
  groups(): Iterable<Group> {
    if (this.#many !== null) return this.#many.values();
    const groups: HeldGroup[] = [];
    for (let group = this.#first; group !== null; group = group.next) groups.push(group);
    return groups;
  }

  override find(key: string): Group | undefined {
    if (this.#many !== null) return this.#many.get(key);
    for (let group = this.#first; group !== null; group = group.next) if (group.key === key) return group;
    return undefined;
  }

  override add(key: string, set: GroupingSet): Group {
    const { plan, states } = this.shared;
    const group = free.pop() ?? new HeldGroup(set);
    group.key = key;
    // What but counts has it from when it was of the same plan.
    if (group.set !== set || group.states.length === 0)
      group.states = states.map((make, at) => (isCount(plan.aggregates[at]) ? group : make(this.params)));
    group.set = set;
    this.#take(group);
    return group;
  }

  override drop(group: HeldGroup): void {
    this.#many?.delete(group.key);
    if (this.#first === group) this.#first = group.next;
    for (let one = this.#first; one !== null; one = one.next) if (one.next === group) one.next = group.next;
    if (free.length === FREE_MAX) return;
    group.clear();
    free.push(group);
  }

  #take(group: HeldGroup): void {
    let last: HeldGroup | null = null;
    let listed = 0;
    for (let one = this.#first; one !== null; one = one.next) {
      last = one;
      listed++;
    }
    if (last === null && this.#many === null) this.#first = group;
    else if (last !== null) last.next = group;
    this.#many?.set(group.key, group);
    if (listed < LISTED_MAX) return;
    this.#many = new Map();
    for (let one = this.#first; one !== null; one = this.#first) {
      this.#many.set(one.key, one);
      this.#first = one.next;
      one.next = null;
    }
  }
}

/** Whether it is a count of the group's tuples, all of them. */
function isCount(plan: Aggregate | undefined): boolean {
  return plan?.args.length === 0 && plan.filter === null;
}

/** The values where others were, if as many fit there: those that are the same stay. */
function written(held: PgText[], values: readonly PgText[]): PgText[] {
  if (held.length !== values.length) return [...values];
  for (let at = 0; at < held.length; at++) {
    const value = values[at] ?? null;
    if (held[at] !== value) held[at] = value;
  }
  return held;
}
