import type { Random } from '../kit/random.js';
import type { ColumnModel, TableModel } from './random-schema.js';
import { literal, TYPES, valueOf } from './value-pools.js';

/** One statement of a transaction, taken apart so that it can be made less. */
export type Write =
  | {
      readonly kind: 'insert';
      readonly table: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      /** Key columns of ON CONFLICT DO UPDATE; null for DO NOTHING. */
      readonly upsert: readonly string[] | null;
    }
  | {
      readonly kind: 'update';
      readonly table: string;
      readonly set: readonly (readonly [column: string, value: string])[];
      readonly where: readonly string[];
    }
  | { readonly kind: 'delete'; readonly table: string; readonly where: readonly string[] }
  | { readonly kind: 'truncate'; readonly table: string };

export function writeSql(write: Write): string {
  switch (write.kind) {
    case 'insert': {
      const rows = write.rows.map((row) => `(${row.join(', ')})`).join(', ');
      const others = write.columns.filter((column) => write.upsert?.includes(column) === false);
      const set = others.map((column) => `${column} = excluded.${column}`).join(', ');
      const conflict =
        write.upsert === null || set === ''
          ? 'DO NOTHING'
          : `(${write.upsert.join(', ')}) DO UPDATE SET ${set}`;
      return `INSERT INTO ${write.table} (${write.columns.join(', ')}) VALUES ${rows} ON CONFLICT ${conflict}`;
    }
    case 'update': {
      const set = write.set.map(([column, value]) => `${column} = ${value}`).join(', ');
      return `UPDATE ${write.table} SET ${set}${whereSql(write.where)}`;
    }
    case 'delete':
      return `DELETE FROM ${write.table}${whereSql(write.where)}`;
    default:
      return `TRUNCATE ${write.table} CASCADE`;
  }
}

function whereSql(where: readonly string[]): string {
  return where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
}

/** The first rows of every table. */
export function firstRows(random: Random, tables: readonly TableModel[]): readonly Write[] {
  return tables.map((table) => insert(random, table, random.between(4, 10)));
}

/** One transaction: most alter much, some a single row. */
export function randomTransaction(random: Random, tables: readonly TableModel[]): readonly Write[] {
  const count = random.chance(0.2) ? 1 : random.between(2, 6);
  return Array.from({ length: count }, () => randomWrite(random, random.pick(tables)));
}

function randomWrite(random: Random, table: TableModel): Write {
  const kind = random.weighted([
    { kind: 'insert', weight: 38 },
    { kind: 'update', weight: 40 },
    { kind: 'delete', weight: 20 },
    { kind: 'truncate', weight: 0.7 },
  ] as const).kind;
  switch (kind) {
    case 'insert':
      return insert(random, table, random.between(1, 4));
    case 'update':
      return update(random, table);
    case 'delete':
      return { kind, table: table.name, where: [conditionOf(random, table, true)] };
    default:
      return { kind, table: table.name };
  }
}

function insert(random: Random, table: TableModel, count: number): Write {
  const columns = table.columns.filter(({ generated }) => generated === null);
  const rows = Array.from({ length: count }, () => columns.map((column) => columnValue(random, column)));
  const seen = new Set<string>();
  const key = columns.flatMap(({ name }, at) => (table.key.includes(name) ? [at] : []));
  const distinct = rows.filter((row) => {
    const text = key.map((at) => row[at]).join();
    if (key.length === 0 || !seen.has(text)) return seen.add(text);
    return false;
  });
  return {
    kind: 'insert',
    table: table.name,
    columns: columns.map(({ name }) => name),
    rows: distinct,
    upsert: table.key.length > 0 && random.chance(0.7) ? table.key : null,
  };
}

function update(random: Random, table: TableModel): Write {
  const candidates = table.columns.filter(
    ({ name, generated }) => generated === null && (!table.key.includes(name) || random.chance(0.2)),
  );
  const chosen = candidates.filter(() => random.chance(0.4));
  const columns = chosen.length > 0 ? chosen : candidates.slice(0, 1);
  const fallback = table.columns.find(({ generated }) => generated === null);
  const all = columns.length > 0 ? columns : fallback === undefined ? [] : [fallback];
  return {
    kind: 'update',
    table: table.name,
    set: all.map((column) => [column.name, updatedTo(random, table, column)] as const),
    where:
      random.chance(0.15) && all.every(({ name }) => !table.key.includes(name))
        ? []
        : [conditionOf(random, table, false)],
  };
}

function updatedTo(random: Random, table: TableModel, column: ColumnModel): string {
  if (random.chance(0.1)) return column.name; // no change
  const other = table.columns.find(
    ({ type, name, notNull }) => type === column.type && name !== column.name && (notNull || !column.notNull),
  );
  if (other !== undefined && other.generated === null && random.chance(0.2)) return other.name;
  if (column.type === 'int4' && random.chance(0.3)) return `(${column.name} + 1) % 4`;
  return columnValue(random, column);
}

function conditionOf(random: Random, table: TableModel, one: boolean): string {
  const ordered = table.columns.filter(({ type }) => TYPES[type].ordered);
  const keys = ordered.filter(({ name }) => table.key.includes(name));
  const column =
    keys.length > 0 && random.chance(one ? 0.7 : 0.5)
      ? random.pick(keys)
      : random.pick(ordered.length > 0 ? ordered : table.columns);
  if (!TYPES[column.type].ordered || (!column.notNull && random.chance(0.15)))
    return `${column.name} IS NULL`;
  const value = literal(column.type, valueOf(random, column.type));
  return `${column.name} ${random.pick(one ? ['=', '=', '='] : ['=', '=', '<>', '<=', '>'])} ${value}`;
}

function columnValue(random: Random, column: ColumnModel): string {
  if (!column.notNull && random.chance(0.18)) return 'NULL';
  if (column.name === 'id') return String(random.between(1, 8));
  if (column.name.endsWith('_id') && column.type === 'int4') return String(random.between(1, 8));
  return literal(column.type, valueOf(random, column.type));
}
