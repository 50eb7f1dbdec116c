import type { PlanColumn, ValueType } from '@sluice/core/plan';
import type { ColumnRef } from 'libpg-query';
import type { Column, Registry, Table } from '../registry/registry.js';
import { BeyondOneTable } from './reasons.js';
import { columnType } from './value-types.js';

/** The columns that a plan reads, numbered by first use. A text column has two numbers where it is also ordered by bytes. */
export class PlanColumns {
  readonly columns: PlanColumn[] = [];
  readonly table: Table;
  readonly #registry: Registry;
  /** What the query calls the table. */
  readonly #alias: string;
  readonly #schema: string | null;

  constructor(table: Table, registry: Registry, alias: string, schema: string | null) {
    this.table = table;
    this.#registry = registry;
    this.#alias = alias;
    this.#schema = schema;
  }

  /** Resolves `a`, `t.a` and `s.t.a`. */
  resolve(ref: ColumnRef): Column {
    const names = this.namesOf(ref);
    const name = names?.at(-1);
    const column = this.table.columns.find((candidate) => candidate.name === name);
    if (names === null || column === undefined || !this.#isOwn(names.slice(0, -1)))
      throw new BeyondOneTable();
    if (column.generated !== 'no') throw new BeyondOneTable();
    return column;
  }

  /** The parts of a reference; null when it ends in `*`. */
  namesOf(ref: ColumnRef): readonly string[] | null {
    const names: string[] = [];
    for (const field of ref.fields ?? []) {
      if (!('String' in field)) return null;
      names.push(field.String.sval ?? '');
    }
    return names;
  }

  /** Every column, for `*`. */
  all(): readonly Column[] {
    const generated = this.table.columns.find((column) => column.generated !== 'no');
    if (generated !== undefined) throw new BeyondOneTable();
    return this.table.columns;
  }

  /** The number of a column; `ordered` asks for the one compared by bytes. */
  use(column: Column, ordered: boolean = column.collationIsC): number {
    const plain = columnType(this.#registry, column);
    const type: ValueType = plain.kind === 'text' ? { kind: 'text', ordered } : plain;
    const known = this.columns.findIndex(
      (used) => used.name === column.name && (used.type.kind !== 'text' || used.type.ordered === ordered),
    );
    return known >= 0 ? known : this.columns.push({ name: column.name, type }) - 1;
  }

  #isOwn(qualifier: readonly string[]): boolean {
    const [last, schema] = [qualifier.at(-1), qualifier.at(-2)];
    return (last === undefined || last === this.#alias) && (schema === undefined || schema === this.#schema);
  }
}
