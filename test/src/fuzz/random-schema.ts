import type { Random } from '../kit/random.js';
import type { Sql } from './sql-tree.js';
import { TYPE_NAMES, TYPES, type TypeName } from './value-pools.js';

export interface ColumnModel {
  readonly name: string;
  readonly type: TypeName;
  readonly notNull: boolean;
  /** The collation's name with its quotes. */
  readonly collation: string | null;
  /** The expression of a stored generated column. */
  readonly generated: string | null;
}

export interface TableModel {
  readonly name: string;
  readonly columns: readonly ColumnModel[];
  /** The primary key; empty when there is none. */
  readonly key: readonly string[];
  readonly identity: 'default' | 'full' | 'index';
  readonly references: readonly Reference[];
}

export interface Reference {
  readonly column: string;
  readonly table: string;
  readonly onDelete: 'CASCADE' | 'SET NULL' | 'NO ACTION';
}

export interface ViewModel {
  readonly name: string;
  readonly query: Sql;
  readonly columns: readonly { readonly name: string; readonly type: TypeName }[];
}

export interface SchemaModel {
  readonly tables: readonly TableModel[];
  readonly views: readonly ViewModel[];
}

export const ENUM_SQL = `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')`;

/** Types that a key may have: what joins are made of is most often a small number. */
const KEY_TYPES: readonly TypeName[] = [
  'int4',
  'int4',
  'int4',
  'int4',
  'int8',
  'text',
  'uuid',
  'int2',
  'date',
  'mood',
  'numeric',
  'bpchar',
];
const COMMON: readonly TypeName[] = [
  'int4',
  'int4',
  'int4',
  'text',
  'text',
  'bool',
  'timestamptz',
  'numeric',
  'mood',
  'int8',
];

/**
 * What the texts of a schema are collated by: most often all by one, since Postgres does not compare those of two.
 * Null is the default of the database.
 */
const COLLATIONS: readonly (readonly (string | null)[])[] = [
  ['"C"', null],
  ['"C"'],
  ['"und-x-icu"'],
  ['"de-x-icu"', '"de-x-icu"', '"C"'],
  ['"sv-x-icu"', '"sv-x-icu"', '"und-x-icu"'],
];

export function randomTables(random: Random): readonly TableModel[] {
  const tables: TableModel[] = [];
  const collations = random.pick(COLLATIONS);
  for (let count = random.between(2, 5), at = 0; at < count; at++)
    tables.push(randomTable(random, `t${at}`, tables, collations));
  return tables;
}

type Collations = (typeof COLLATIONS)[number];

function randomTable(
  random: Random,
  name: string,
  others: readonly TableModel[],
  collations: Collations,
): TableModel {
  const columns: ColumnModel[] = [];
  const keys = random.weighted([
    { count: 1, weight: 76 },
    { count: 2, weight: 23 },
    { count: 0, weight: 1 },
  ]).count;
  const key: string[] = [];
  for (let at = 0; at < keys; at++) {
    const column = keys === 1 && random.chance(0.7) ? 'id' : `k${at}`;
    columns.push(
      columnOf(random, collations, column, column === 'id' ? 'int4' : random.pick(KEY_TYPES), true),
    );
    key.push(column);
  }
  const references: Reference[] = [];
  for (const other of others) {
    const target = other.columns.find((column) => column.name === other.key[0]);
    if (other.key.length !== 1 || target === undefined || !random.chance(0.6)) continue;
    const column = `${other.name}_id`;
    columns.push({
      ...columnOf(random, collations, column, target.type, false),
      collation: target.collation,
    });
    if (random.chance(0.4))
      references.push({
        column,
        table: other.name,
        onDelete: random.pick(['CASCADE', 'SET NULL', 'NO ACTION']),
      });
  }
  for (let count = random.between(1, 5), at = 0; at < count; at++) {
    const type = random.chance(0.55) ? random.pick(COMMON) : random.pick(TYPE_NAMES);
    columns.push(columnOf(random, collations, `c${at}`, type, random.chance(0.15)));
  }
  if (random.chance(0.2)) columns.push(generatedOf(random, columns));
  const identity = key.length === 0 ? 'full' : random.pick(['default', 'default', 'full', 'index'] as const);
  return { name, columns, key, identity, references };
}

function columnOf(
  random: Random,
  collations: Collations,
  name: string,
  type: TypeName,
  notNull: boolean,
): ColumnModel {
  const hasCollation = type === 'text' || type === 'varchar' || type === 'bpchar';
  const collation = hasCollation ? random.pick(collations) : null;
  return { name, type, notNull, collation, generated: null };
}

function generatedOf(random: Random, columns: readonly ColumnModel[]): ColumnModel {
  const base = random.pick(columns);
  const expression =
    base.type === 'int4' || base.type === 'int2' ? `${base.name}::int8 * 2` : `${base.name} IS NULL`;
  const type: TypeName = base.type === 'int4' || base.type === 'int2' ? 'int8' : 'bool';
  return { name: 'gen', type, notNull: false, collation: null, generated: expression };
}

export function tableSql(table: TableModel): readonly string[] {
  const parts = table.columns.map((column) => {
    const collation = column.collation === null ? '' : ` COLLATE ${column.collation}`;
    const rest =
      column.generated === null
        ? column.notNull
          ? ' NOT NULL'
          : ''
        : ` GENERATED ALWAYS AS (${column.generated}) STORED`;
    return `${column.name} ${TYPES[column.type].column}${collation}${rest}`;
  });
  if (table.key.length > 0) parts.push(`PRIMARY KEY (${table.key.join(', ')})`);
  for (const { column, table: target, onDelete } of table.references)
    parts.push(`FOREIGN KEY (${column}) REFERENCES ${target} ON DELETE ${onDelete}`);
  const statements = [`CREATE TABLE ${table.name} (${parts.join(', ')})`];
  if (table.identity === 'full') statements.push(`ALTER TABLE ${table.name} REPLICA IDENTITY FULL`);
  if (table.identity === 'index')
    statements.push(`ALTER TABLE ${table.name} REPLICA IDENTITY USING INDEX ${table.name}_pkey`);
  return statements;
}
