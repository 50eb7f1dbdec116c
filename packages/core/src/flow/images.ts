import type { FlowMember } from './member.js';
import type { RowChange, TableChange } from './row.js';

/** What a transaction does to the answer of a member; `missed` where what is held cannot tell. */
export type Effects = Map<FlowMember, readonly RowChange[] | 'missed'>;

/** By table: what the transaction did to each row. */
export type TableChanges = ReadonlyMap<number, readonly TableChange[]>;

/** What changed at one input: rows, and keys of which nothing is known any more. */
export interface Images {
  readonly rows: readonly RowChange[];
  readonly lost: readonly string[];
  /** Whoever has to do with these keys cannot be told anything; null stands for any key. */
  readonly blind: readonly (string | null)[];
}
