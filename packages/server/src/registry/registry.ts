/** What the catalog says of one database; plain JSON. `hash` names the version. */
export interface Registry {
  readonly hash: string;
  readonly tables: ReadonlyMap<number, Table>;
  readonly types: ReadonlyMap<number, PgType>;
  /** Hash of the users' functions, operators and casts. */
  readonly globalHash: string;
  /** Hash of schemas, roles, memberships and role settings: who may see what, and what a bare name means. */
  readonly rightsHash: string;
}

export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind:
    'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table' | 'sequence' | 'composite';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly columns: readonly Column[];
  /** Column names of the primary key, in key order. */
  readonly primaryKey: readonly string[] | null;
  /** Every unique key whose columns are all not null and that is neither partial nor over expressions. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index';
  /** Columns of the replica identity; null when it has none. */
  readonly identityColumns: readonly string[] | null;
  /** Every update and delete brings the whole row as it was: FULL, of a partitioned table in all of its leaves. */
  readonly hasWholeOldRows: boolean;
  readonly rowSecurity: boolean;
  /** In our publication, itself or (for a partitioned table) through its leaves. */
  readonly published: boolean;
  /** The direct parent of a partition. */
  readonly partitionOf: number | null;
  /** Tables that inherit from this one without being partitions. */
  readonly inheritedBy: readonly number[];
  /** Of a view: a hash of its definition and options; null for everything else. */
  readonly definitionHash: string | null;
  /** Hash of everything above, with the definitions of the columns' types: changes when anything does. */
  readonly hash: string;
  /** Hash of owner, privileges and policies: who may see what, apart from what there is. */
  readonly accessHash: string;
  /** The file that holds the rows (relfilenode): another one after TRUNCATE, VACUUM FULL, and DDL that rewrites rows. Not part of `hash`. */
  readonly storage: number;
}

export interface Column {
  readonly name: string;
  /** attnum. */
  readonly number: number;
  readonly typeOid: number;
  readonly typeModifier: number;
  readonly notNull: boolean;
  /** 0 when the type has none. */
  readonly collationOid: number;
  /** Order by bytes: C, POSIX or ucs_basic (or a database default that is C). */
  readonly collationIsC: boolean;
  readonly collationIsDeterministic: boolean;
  readonly generated: 'no' | 'stored' | 'virtual';
}

export interface PgType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'base' | 'enum' | 'domain' | 'array' | 'composite' | 'range' | 'multirange' | 'pseudo';
  /** Of an array. */
  readonly elementOid: number | null;
  /** Of a domain: the type below it. */
  readonly baseOid: number | null;
  /** Of an enum, in its order. */
  readonly labels: readonly string[] | null;
}
