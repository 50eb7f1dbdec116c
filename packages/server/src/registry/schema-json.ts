import type { Registry } from './registry.js';

/** The registry as plain JSON, in a fixed order: what `GET /schema` answers and `sluice generate` writes. */
export function schemaJson(registry: Registry): SchemaJson {
  return {
    hash: registry.hash,
    tables: [...registry.tables.values()]
      .filter(({ kind }) => kind === 'table' || kind === 'partitioned' || kind === 'view')
      .map((table) => ({
        schema: table.schema,
        name: table.name,
        kind: table.kind === 'partitioned' ? 'partitioned table' : table.kind,
        published: table.published,
        primaryKey: table.primaryKey,
        columns: table.columns.map((column) => ({
          name: column.name,
          type: typeName(registry, column.typeOid),
          notNull: column.notNull,
        })),
      }))
      .sort(byName),
    enums: [...registry.types.values()]
      .filter((type) => type.kind === 'enum')
      .map(({ schema, name, labels }) => ({ schema, name, labels: labels ?? [] }))
      .sort(byName),
  };
}

export interface SchemaJson {
  readonly hash: string;
  readonly tables: readonly {
    readonly schema: string;
    readonly name: string;
    readonly kind: string;
    readonly published: boolean;
    readonly primaryKey: readonly string[] | null;
    readonly columns: readonly { readonly name: string; readonly type: string; readonly notNull: boolean }[];
  }[];
  readonly enums: readonly {
    readonly schema: string;
    readonly name: string;
    readonly labels: readonly string[];
  }[];
}

interface Named {
  readonly schema: string;
  readonly name: string;
}

function byName(a: Named, b: Named): number {
  return a.schema === b.schema ? (a.name < b.name ? -1 : 1) : a.schema < b.schema ? -1 : 1;
}

/** Qualified unless it is Postgres's own; an array has brackets. */
function typeName(registry: Registry, oid: number): string {
  const type = registry.types.get(oid);
  if (type === undefined) return 'unknown';
  if (type.kind === 'array' && type.elementOid !== null) return `${typeName(registry, type.elementOid)}[]`;
  return type.schema === 'pg_catalog' ? type.name : `${type.schema}.${type.name}`;
}
