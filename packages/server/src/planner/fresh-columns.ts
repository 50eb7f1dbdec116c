import { DEFINITION } from '../registry/catalog-sql.js';
import type { Registry, Table } from '../registry/registry.js';
import type { Run } from '../source/source.js';
import { StaleColumns } from './dependencies.js';

const COLUMNS = `
SELECT attrelid::pg_catalog.int8, pg_catalog.string_agg(pg_catalog.concat_ws(' ', attnum, atttypid::pg_catalog.int8, attname), ',' ORDER BY attnum)
FROM pg_catalog.pg_attribute
WHERE attrelid = ANY ($1::pg_catalog.oid[]) AND attnum > 0 AND NOT attisdropped
GROUP BY attrelid`;

/**
 * Half of a plan is what Postgres says of the query now, the other half what the registry knows of its tables. Postgres
 * may know of a later schema already: then the halves do not fit. Asked after Postgres has described the query, in the
 * same transaction: the tables are locked against DDL since.
 *
 * @throws StaleColumns
 */
export async function checkColumns(run: Run, registry: Registry, tables: ReadonlySet<number>): Promise<void> {
  if (tables.size === 0) return;
  const { rows } = await run(COLUMNS, [`{${[...tables].join(',')}}`]);
  const now = new Map(rows.map(([oid, columns]) => [Number(oid), columns ?? '']));
  for (const oid of tables) {
    const table = registry.tables.get(oid);
    if (table === undefined || (now.get(oid) ?? '') !== columnsOf(table))
      throw new StaleColumns(`${table?.name ?? 'A table'} has other columns than are known.`);
  }
}

function columnsOf(table: Table): string {
  return table.columns
    .toSorted((left, right) => left.number - right.number)
    .map(({ number, typeOid, name }) => `${number} ${typeOid} ${name}`)
    .join(',');
}

const DEFINITIONS = `
SELECT c.oid::pg_catalog.int8, ${DEFINITION}
FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::pg_catalog.oid[])`;

/**
 * The same for the views that a query reads through: their definitions are those that the registry knows, however often
 * they were replaced meanwhile.
 *
 * @throws StaleColumns
 */
export async function checkDefinitions(
  run: Run,
  registry: Registry,
  views: ReadonlySet<number>,
): Promise<void> {
  if (views.size === 0) return;
  const { rows } = await run(DEFINITIONS, [`{${[...views].join(',')}}`]);
  const now = new Map(rows.map(([oid, definition]) => [Number(oid), definition ?? '']));
  for (const oid of views) {
    const view = registry.tables.get(oid);
    if (view === undefined || now.get(oid) !== view.definitionHash)
      throw new StaleColumns(`${view?.name ?? 'A view'} has another definition than is known.`);
  }
}
