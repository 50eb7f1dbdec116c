import type { Run } from '../source/source.js';
import {
  COLUMNS_SQL,
  GLOBAL_SQL,
  KEYS_SQL,
  PUBLICATION_FILTERS_SQL,
  PUBLICATION_SQL,
  HAS_PUBLISHED_SCHEMAS_SQL,
  PUBLISHED_ALL_SQL,
  PUBLISHED_NAMES_SQL,
  PUBLISHED_SCHEMAS_SQL,
  RELATIONS_SQL,
  RIGHTS_SQL,
  TYPES_SQL,
} from './catalog-sql.js';
import { sourceError } from '../source/errors.js';
import { registryError } from './errors.js';
import { hashOf } from './hash.js';
import type { Column, PgType, Registry, Table } from './registry.js';

/**
 * Reads the catalog. Costs a handful of statements whose work grows with the number of tables; run it where the
 * schema may have changed, not per query. Run it in one snapshot, or changes between the statements may mix.
 * @throws a registered error when the publication is missing or would hide changes.
 */
export async function readRegistry(run: Run, publication: string): Promise<Registry> {
  await checkPublication(run, publication);
  const typeRows = new Map((await read<TypeRow>(run, TYPES_SQL)).map((row) => [row.oid, row]));
  const columns = groupBy(await read<ColumnRow>(run, COLUMNS_SQL), (row) => row.table);
  const keys = groupBy(await read<KeyRow>(run, KEYS_SQL), (row) => row.table);
  const relations = await read<RelationRow>(run, RELATIONS_SQL);
  const published = await readPublished(run, publication, relations);
  const whole = wholeOldRows(relations);
  const tables = new Map<number, Table>();
  for (const relation of relations) {
    const table = {
      ...makeTable(relation, columns.get(relation.oid) ?? [], keys.get(relation.oid) ?? [], published),
      hasWholeOldRows: whole.has(relation.oid),
    };
    const typeHashes = table.columns.map((column) => typeFingerprint(typeRows, column.typeOid, 0));
    tables.set(table.oid, {
      ...table,
      hash: hashOf([table, typeHashes]),
      accessHash: relation.access,
      storage: relation.storage,
    });
  }
  const globalHash = (await run(GLOBAL_SQL)).rows[0]?.[0] ?? '';
  const rightsHash = (await run(RIGHTS_SQL)).rows[0]?.[0] ?? '';
  const types = new Map([...typeRows].map(([oid, row]) => [oid, makeType(row)]));
  return { hash: wholeHash(tables, types), tables, types, globalHash, rightsHash };
}

/** Of what is there, not of who may see it. */
function wholeHash(tables: ReadonlyMap<number, Table>, types: ReadonlyMap<number, PgType>): string {
  const own = [...types.values()].filter((type) => type.schema !== 'pg_catalog');
  return hashOf([[...tables.values()].map((table) => table.hash), own]);
}

interface RelationRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly replicaIdentity: string;
  readonly rowSecurity: boolean;
  readonly partitionOf: number | null;
  readonly inheritedBy: readonly number[] | null;
  readonly definition: string | null;
  readonly access: string;
  readonly storage: number;
}

interface ColumnRow extends Omit<Column, 'generated'> {
  readonly table: number;
  readonly generated: '' | 's' | 'v';
}

interface KeyRow {
  readonly table: number;
  readonly primary: boolean;
  readonly identity: boolean;
  readonly columns: readonly string[];
}

interface TypeRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly category: string;
  readonly subscript: string;
  readonly element: number | null;
  readonly base: number | null;
  readonly labels: readonly string[] | null;
  readonly definition: string | null;
}

async function checkPublication(run: Run, publication: string): Promise<void> {
  const [found] = await read<{ viaRoot: boolean; complete: boolean }>(run, PUBLICATION_SQL, [publication]);
  if (found === undefined) throw sourceError('publication_missing', publication);
  if (!found.complete) throw sourceError('publication_partial', publication);
  if (found.viaRoot) throw registryError('publication_via_root', publication);
  const filtered = await read<{ name: string }>(run, PUBLICATION_FILTERS_SQL, [publication]);
  if (filtered.length > 0)
    throw registryError('publication_filtered', filtered.map((table) => table.name).join(', '));
}

/** Oids of the relations whose every change is streamed; a root when all of its leaves are. */
async function readPublished(
  run: Run,
  publication: string,
  relations: readonly RelationRow[],
): Promise<ReadonlySet<number>> {
  const listed = await readListed(run, publication);
  const children = groupBy(relations, (relation) => relation.partitionOf);
  const published = new Set<number>();
  const resolve = (relation: RelationRow, aboveIs: boolean): boolean => {
    const isListed = aboveIs || listed.has(relation.oid);
    const leaves = children.get(relation.oid) ?? [];
    const below = leaves.map((leaf) => resolve(leaf, isListed));
    const is = below.length > 0 ? below.every(Boolean) : isListed && STREAMED_KINDS.has(relation.kind);
    if (is) published.add(relation.oid);
    return is;
  };
  for (const relation of relations) if (relation.partitionOf === null) resolve(relation, false);
  return published;
}

/** Oids of the relations whose every change brings the row as it was; a root when those of all of its leaves do. */
function wholeOldRows(relations: readonly RelationRow[]): ReadonlySet<number> {
  const children = groupBy(relations, (relation) => relation.partitionOf);
  const whole = new Set<number>();
  const resolve = (relation: RelationRow): boolean => {
    const below = (children.get(relation.oid) ?? []).map(resolve);
    const is = relation.kind === 'p' ? below.every(Boolean) : relation.replicaIdentity === 'f';
    if (is) whole.add(relation.oid);
    return is;
  };
  for (const relation of relations) if (relation.partitionOf === null) resolve(relation);
  return whole;
}

/** Tables, and roots while they have no leaf. */
const STREAMED_KINDS: ReadonlySet<string> = new Set(['r', 'p']);

/** What the publication means by itself: by name, by its schema, or because it is for all tables. */
async function readListed(run: Run, publication: string): Promise<ReadonlySet<number>> {
  const [bySchema] = (await run(HAS_PUBLISHED_SCHEMAS_SQL)).rows;
  const statements = [PUBLISHED_NAMES_SQL, PUBLISHED_ALL_SQL];
  if (bySchema?.[0] === 't') statements.push(PUBLISHED_SCHEMAS_SQL);
  const listed = new Set<number>();
  for (const sql of statements)
    for (const { oid } of await read<{ oid: number }>(run, sql, [publication])) listed.add(oid);
  return listed;
}

const KINDS: Readonly<Record<string, Table['kind']>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
  c: 'composite',
};

function makeTable(
  relation: RelationRow,
  columnRows: readonly ColumnRow[],
  keys: readonly KeyRow[],
  published: ReadonlySet<number>,
): Omit<Table, 'hasWholeOldRows' | 'hash' | 'accessHash' | 'storage'> {
  const columns = columnRows.map(makeColumn);
  const notNull = new Set(columns.filter((column) => column.notNull).map((column) => column.name));
  const usable = keys.filter((key) => key.columns.every((name) => notNull.has(name)));
  const primaryKey = keys.find((key) => key.primary)?.columns ?? null;
  const replicaIdentity = ({ d: 'default', n: 'nothing', f: 'full', i: 'index' } as const)[
    relation.replicaIdentity as 'd' | 'n' | 'f' | 'i'
  ];
  return {
    oid: relation.oid,
    schema: relation.schema,
    name: relation.name,
    kind: KINDS[relation.kind] ?? 'composite',
    persistence: ({ p: 'permanent', u: 'unlogged', t: 'temporary' } as const)[
      relation.persistence as 'p' | 'u' | 't'
    ],
    columns,
    primaryKey,
    uniqueKeys: usable.map((key) => key.columns),
    replicaIdentity,
    identityColumns: identity(replicaIdentity, primaryKey, columns, keys),
    rowSecurity: relation.rowSecurity,
    published: published.has(relation.oid),
    partitionOf: relation.partitionOf,
    inheritedBy: relation.inheritedBy ?? [],
    definitionHash: relation.definition,
  };
}

function makeColumn(row: ColumnRow): Column {
  return {
    name: row.name,
    number: row.number,
    typeOid: row.typeOid,
    typeModifier: row.typeModifier,
    notNull: row.notNull,
    collationOid: row.collationOid,
    collationIsC: row.collationIsC,
    collationIsDeterministic: row.collationIsDeterministic,
    generated: row.generated === 's' ? 'stored' : row.generated === 'v' ? 'virtual' : 'no',
  };
}

function identity(
  kind: Table['replicaIdentity'],
  primaryKey: readonly string[] | null,
  columns: readonly Column[],
  keys: readonly KeyRow[],
): readonly string[] | null {
  if (kind === 'default') return primaryKey;
  if (kind === 'index') return keys.find((key) => key.identity)?.columns ?? null;
  return kind === 'full' ? columns.map((column) => column.name) : null;
}

function makeType(row: TypeRow): PgType {
  const isArray = row.subscript === 'array_subscript_handler';
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: isArray ? 'array' : typeKind(row.type),
    elementOid: isArray ? row.element : null,
    baseOid: row.base,
    labels: row.labels,
  };
}

function typeKind(type: string): PgType['kind'] {
  const kinds: Readonly<Record<string, PgType['kind']>> = {
    b: 'base',
    e: 'enum',
    d: 'domain',
    c: 'composite',
    r: 'range',
    m: 'multirange',
  };
  return kinds[type] ?? 'pseudo';
}

/** What a type is made of, so that `ALTER TYPE … ADD VALUE` is seen as a change of the tables that use it. */
function typeFingerprint(types: ReadonlyMap<number, TypeRow>, oid: number, depth: number): unknown {
  const type = types.get(oid);
  if (type === undefined || type.schema === 'pg_catalog' || depth > 8) return oid;
  const below = [type.element, type.base].map((part) =>
    part === null ? null : typeFingerprint(types, part, depth + 1),
  );
  return [oid, type.schema, type.name, type.labels, type.definition, below];
}

async function read<T>(run: Run, sql: string, params?: readonly (string | null)[]): Promise<readonly T[]> {
  const { rows } = await run(sql, params);
  return rows.map((row) => JSON.parse(row[0] ?? 'null') as T);
}

function groupBy<K, T>(items: readonly T[], key: (item: T) => K): ReadonlyMap<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
