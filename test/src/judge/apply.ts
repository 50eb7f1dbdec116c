import pg from 'pg';
import type { WalChange, WalRelation, WalTransaction, WalTuple } from './pgoutput.js';

/**
 * A transaction as one SQL text that repeats it on the shadow. Rows are found by the replica identity that the
 * stream carries; under FULL by every value as Postgres prints it (1.0 and 1.00 are equal but not the same row).
 */
export function sqlOf(transaction: WalTransaction): string {
  const statements: string[] = [];
  for (const change of joined(transaction.changes)) {
    if (change.kind !== 'insert') statements.push(statementOf(change));
    else {
      const columns = change.relation.columns.map((column) => quoted(column.name)).join(',');
      const rows = change.rows.map((row) => `(${row.map(literal).join(',')})`).join(',');
      statements.push(
        `INSERT INTO ${nameOf(change.relation)} (${columns}) OVERRIDING SYSTEM VALUE VALUES ${rows}`,
      );
    }
  }
  return statements.join(';\n');
}

interface Insert {
  readonly kind: 'insert';
  readonly relation: WalRelation;
  readonly rows: WalTuple[];
}

/** Neighbouring inserts into one table become one statement. */
function joined(changes: readonly WalChange[]): readonly (Exclude<WalChange, { kind: 'insert' }> | Insert)[] {
  const out: (Exclude<WalChange, { kind: 'insert' }> | Insert)[] = [];
  for (const change of changes) {
    if (change.kind !== 'insert') {
      out.push(change);
      continue;
    }
    const last = out.at(-1);
    if (last?.kind === 'insert' && last.relation === change.relation) last.rows.push(change.new);
    else out.push({ kind: 'insert', relation: change.relation, rows: [change.new] });
  }
  return out;
}

/** Whether it changes the schema. */
export function alters(transaction: WalTransaction): boolean {
  return transaction.changes.some(({ kind }) => kind === 'ddl');
}

/** The tables that it touches, `schema.name` without `public.`; a partition by its own name. */
export function tablesOf(transaction: WalTransaction): ReadonlySet<string> {
  const tables = new Set<string>();
  for (const change of transaction.changes) {
    if (change.kind === 'ddl') {
      for (const name of change.affects) tables.add(name);
      continue;
    }
    const relations = change.kind === 'truncate' ? change.relations : [change.relation];
    for (const { schema, name } of relations) tables.add(schema === 'public' ? name : `${schema}.${name}`);
  }
  return tables;
}

function statementOf(change: Exclude<WalChange, { kind: 'insert' }>): string {
  if (change.kind === 'ddl') return change.sql;
  if (change.kind === 'truncate') return `TRUNCATE ${change.relations.map(nameOf).join(',')}`;
  const table = nameOf(change.relation);
  if (change.kind === 'delete')
    return `DELETE FROM ${table} WHERE ${identityOf(change.relation, change.old, table)}`;
  const sets = change.relation.columns.flatMap((column, i) => {
    const value = change.new[i];
    return value === undefined ? [] : [`${quoted(column.name)} = ${literal(value)}`];
  });
  const where = identityOf(change.relation, change.old ?? change.new, table);
  return `UPDATE ${table} SET ${sets.join(', ')} WHERE ${where}`;
}

function identityOf(relation: WalRelation, tuple: WalTuple, table: string): string {
  if (!relation.full) {
    const keys = relation.columns.flatMap((column, i) =>
      column.key ? [`${quoted(column.name)} = ${literal(tuple[i] ?? null)}`] : [],
    );
    return keys.join(' AND ');
  }
  const same = relation.columns.map((column, i) => {
    const value = tuple[i] ?? null;
    const name = quoted(column.name);
    return value === null ? `${name} IS NULL` : `${name} IS NOT NULL AND concat(${name}) = ${literal(value)}`;
  });
  return `ctid = (SELECT ctid FROM ${table} WHERE ${same.join(' AND ')} LIMIT 1)`;
}

function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : pg.escapeLiteral(value);
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name);
}

function nameOf(relation: WalRelation): string {
  return `${quoted(relation.schema)}.${quoted(relation.name)}`;
}
