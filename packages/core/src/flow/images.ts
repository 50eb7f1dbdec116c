import type { RowEvent } from '../engine/table-engine.js';
import type { FewByKey } from '../few.js';
import type { PgText } from '../value.js';
import type { ImagePair } from './input-row.js';
import type { FlowMember } from './member.js';
import type { Source } from './plan.js';
import type { RowChange, TableChange } from './row.js';

/** What a transaction does to the answers of members. */
export interface Effects {
  readonly changes: ReadonlyMap<FlowMember, readonly RowChange[]>;
  /** Of these what is held cannot tell. */
  readonly missed: ReadonlySet<FlowMember>;
}

/** What one transaction did. */
export interface TableChanges {
  /** By table: to each row. */
  readonly rows: FewByKey<number, readonly TableChange[]>;
  /** By tallied source, as it stands in the plan: one after the other. */
  readonly images: ReadonlyMap<Source, readonly ImageChange[]>;
}

/** A change of a row as its whole images tell it, in the columns of a source. */
export interface ImageChange {
  readonly old: readonly PgText[] | null;
  readonly next: readonly PgText[] | null;
}

/** What one transaction did to rows, by table. */
export type Events = ReadonlyMap<number, readonly RowEvent[]>;

/** What changed at one input: rows, and keys of which nothing is known any more. */
export interface Images {
  readonly at: number;
  readonly rows: readonly ImagePair[];
  readonly lost: readonly string[];
  /** Whoever has to do with these keys cannot be told anything; null stands for any key. */
  readonly blind: readonly (string | null)[];
}
