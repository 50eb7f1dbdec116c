import type { Few } from '../few.js';
import type { PgText, RowKey } from '../value.js';
import type { FlowMember } from './member.js';
import type { Row } from './row.js';

/** A key of an input that something demands, with all there is to it. */
export interface Key {
  readonly text: string;
  /** How many demand it. */
  count: number;
  /** What it is made of. */
  readonly given: readonly PgText[];
  isCovered: boolean;
  rows: Few<InputRow> | undefined;
  /** Who demands it: rows of the parent, or members. */
  above: Few<InputRow> | undefined;
  members: Few<FlowMember> | undefined;
}

/**
 * A row of an input with its key and the keys that it demands below. As it is held it is one and the same as long as it
 * keeps its key, and changes its values; else it is an image, as a transaction found or left it.
 */
export class InputRow implements Row {
  readonly key: RowKey;
  /** Its own: they change where they are, so that of what a change makes as little as can be stays in memory. */
  readonly values: PgText[];
  /** Null where nobody demands it. */
  own: Key | null;
  /** By input below; null where nothing is demanded, undefined where it is to be looked up. */
  below: (Key | null | undefined)[];

  constructor(key: RowKey, values: readonly PgText[], own: Key | null, below: InputRow['below'] = UNKNOWN) {
    this.key = key;
    this.values = [...values];
    this.own = own;
    this.below = below;
  }
}

const UNKNOWN: InputRow['below'] = [];

/** Stands where an outer join has found no row: a subquery that reads of it is asked for NULLs. */
export const ABSENT: InputRow = new InputRow('', [], null);

/** A row of an input that a transaction changes: before the change `old` is the row as it is held, after it `next` is. */
export interface ImagePair {
  old: InputRow | null;
  next: InputRow | null;
}
