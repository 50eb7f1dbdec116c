import type { Evaluate } from '../expression/compile.js';
import type { PgText } from '../value.js';
import type { AggregateState } from './aggregate-state.js';
import type { Texts } from './one-text.js';
import type { Grouping } from './plan.js';
import type { Change, KeyPart } from './row.js';

export interface Group {
  readonly key: string;
  readonly set: GroupingSet;
  readonly states: readonly AggregateState[];
  /** Of the keys of its joined tuples. */
  readonly texts: Texts;
  /** What was handed on last; null: nothing. */
  shown: readonly PgText[] | null;
  bytes: number;
}

export interface GroupingSet {
  /** Told apart from other sets by it. */
  readonly prefix: string;
  readonly has: readonly boolean[];
  /** One group, also of nothing. */
  readonly isWhole: boolean;
  /** The keys of that. */
  readonly nothing: readonly null[];
  readonly marks: readonly string[];
}

/** What the groups of all members share. */
export interface Shared {
  readonly plan: Grouping;
  /** By aggregate: makes its state. */
  readonly states: readonly ((params: readonly PgText[]) => AggregateState)[];
  readonly keys: readonly Evaluate[];
  readonly parts: readonly KeyPart[];
  readonly having: readonly Evaluate[];
  readonly sets: readonly GroupingSet[];
  /** There are no rows whose memory is counted. */
  readonly isTally: boolean;
}

/** What keeps the groups of one member. */
export interface GroupStage {
  begin(): Change[];
  apply(changes: readonly Change[]): Change[];
  /** Of a tally, by estimate: its groups, and what their aggregates hold of values. */
  readonly heldBytes: number;
}

export type MakeGroups = new (shared: Shared, params: readonly PgText[]) => GroupStage;
