import type { Lsn } from '@sluice/core/lsn';
import type { PgText } from '@sluice/core/value';

/** A table as the stream describes it: the columns that its tuples carry, in their order. */
export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index';
  readonly columns: readonly RelationColumn[];
}

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity. */
  readonly identity: boolean;
}

/** A tuple in the bytes it came in; a value is decoded only when it is read. */
export interface Tuple {
  readonly length: number;
  /** The value of the column at an index; `undefined` for a TOAST value that did not change and was not sent. */
  text(column: number): PgText | undefined;
}

export type Change =
  | { readonly kind: 'insert'; readonly relation: Relation; readonly new: Tuple }
  | {
      readonly kind: 'update';
      readonly relation: Relation;
      /** `key`: only identity columns are set; `full`: the whole old row; `none`: the key did not change and nothing was sent. */
      readonly identity: 'none' | 'key' | 'full';
      readonly old: Tuple | null;
      readonly new: Tuple;
    }
  | {
      readonly kind: 'delete';
      readonly relation: Relation;
      readonly identity: 'key' | 'full';
      readonly old: Tuple;
    }
  | { readonly kind: 'truncate'; readonly relation: Relation };

/** A logical message written with `pg_logical_emit_message(true, prefix, content)`. */
export interface LogicalMessage {
  readonly prefix: string;
  readonly content: Uint8Array;
}

/** The changes of one commit. */
export interface Transaction {
  /** The top-level transaction id, 32 bits as on the wire. */
  readonly xid: number;
  /** The end of the commit record: the position that this transaction creates (C1). */
  readonly lsn: Lsn;
  /** The position just before: everything at or below it was told earlier. */
  readonly previous: Lsn;
  readonly changes: readonly Change[];
  /**
   * Relations (by oid) of which so much changed that the changes were dropped to keep memory bounded:
   * anything may have happened in them. None of their changes is in `changes`.
   */
  readonly bulk: ReadonlyMap<number, Relation>;
  readonly messages: readonly LogicalMessage[];
  /** Size of the changes as they came, for the bounds. */
  readonly bytes: number;
}
