import { quote } from '../planner/hydrate-sql.js';
import type { Table } from '../registry/registry.js';

/** Quoted where it has to be. */
export function bare(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quote(name);
}

export function bareTable({ schema, name }: Pick<Table, 'schema' | 'name'>): string {
  return `${bare(schema)}.${bare(name)}`;
}
