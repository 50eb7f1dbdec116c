import type { Run } from '../source/source.js';
import { hashOf } from './hash.js';
import type { Column, Registry, Table } from './registry.js';
import { schemaJson, type SchemaJson } from './schema-json.js';

/** A role that the service role may act as; no row for any other. */
const ROLE_SQL = `
SELECT json_build_object('oid', oid::int8) FROM pg_roles
WHERE rolname = $1 AND pg_has_role(session_user, oid, 'MEMBER')`;

/** The columns that a role may SELECT, by table. */
const READABLE_SQL = `
SELECT json_build_object('table', c.oid::int8, 'columns', json_agg(a.attnum))
FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v') AND c.oid >= 16384
  AND has_schema_privilege($1::oid, c.relnamespace, 'USAGE')
  AND has_column_privilege($1::oid, c.oid, a.attnum, 'SELECT')
GROUP BY c.oid`;

type Snapshot = <T>(work: (run: Run) => Promise<T>) => Promise<T>;

/**
 * The registry as each role may see it: tables and columns that the role may SELECT, and the enums of those. Asked of
 * Postgres once for each role and version of the catalog: rights that change make another version (C23).
 */
export class VisibleSchemas {
  readonly #snapshot: Snapshot;
  #known: { readonly registry: Registry; readonly byRole: Map<string, Promise<SchemaJson | null>> } | null =
    null;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** @returns null when there is no such role that the service role may act as. */
  of(registry: Registry, role: string): Promise<SchemaJson | null> {
    if (this.#known?.registry !== registry) this.#known = { registry, byRole: new Map() };
    const { byRole } = this.#known;
    let schema = byRole.get(role);
    if (schema === undefined) {
      schema = this.#read(registry, role);
      byRole.set(role, schema);
      // Neither a failure nor a name that is none is kept: roles are as many as there are, names are not.
      schema.then(
        (found) => found ?? byRole.delete(role),
        () => byRole.delete(role),
      );
    }
    return schema;
  }

  #read(registry: Registry, role: string): Promise<SchemaJson | null> {
    return this.#snapshot(async (run) => {
      const [found] = (await run(ROLE_SQL, [role])).rows;
      if (found === undefined) return null;
      const { oid } = JSON.parse(found[0] ?? '') as { readonly oid: number };
      const { rows } = await run(READABLE_SQL, [String(oid)]);
      return visible(
        registry,
        rows.map(([row]) => JSON.parse(row ?? '') as Readable),
      );
    });
  }
}

interface Readable {
  readonly table: number;
  readonly columns: readonly number[];
}

function visible(registry: Registry, readable: readonly Readable[]): SchemaJson {
  const tables = new Map<number, Table>();
  for (const { table: oid, columns: numbers } of readable) {
    const table = registry.tables.get(oid);
    if (table === undefined) continue;
    const columns = table.columns.filter(({ number }) => numbers.includes(number));
    tables.set(oid, { ...table, columns, primaryKey: keyWithin(table.primaryKey, columns) });
  }
  const types = new Map(
    [...typesOf(registry, tables)].flatMap((oid) => {
      const type = registry.types.get(oid);
      return type === undefined ? [] : [[oid, type] as const];
    }),
  );
  const { hash: _, ...shown } = schemaJson({ ...registry, tables, types });
  // A version of its own: that of the registry would tell of tables that are not shown.
  return { hash: hashOf(shown), ...shown };
}

/** Half a key identifies nothing, and would name columns that are not shown. */
function keyWithin(key: readonly string[] | null, columns: readonly Column[]): readonly string[] | null {
  const names = new Set(columns.map(({ name }) => name));
  return key !== null && key.every((name) => names.has(name)) ? key : null;
}

/** The types of the columns, with those that they are arrays of or domains over. */
function typesOf(registry: Registry, tables: ReadonlyMap<number, Table>): Set<number> {
  const oids = new Set([...tables.values()].flatMap(({ columns }) => columns.map(({ typeOid }) => typeOid)));
  // A set is walked in the order of insertion, what is added on the way included.
  for (const oid of oids) {
    const type = registry.types.get(oid);
    for (const below of [type?.elementOid, type?.baseOid]) if (typeof below === 'number') oids.add(below);
  }
  return oids;
}
