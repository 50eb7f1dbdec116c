import type { PgText } from '@sluice/core/value';
import type { FuzzCase, Manner } from './fuzz-case.js';
import { whole, type Made, type Relation } from './made-query.js';
import { ENUM_SQL, tableSql, type SchemaModel } from './random-schema.js';
import { writeSql, type Write } from './random-writes.js';
import { print, sequence, type Sql } from './sql-tree.js';

/** A case as it was generated: taken apart, so that it can be made less. */
export interface Model extends SchemaModel {
  readonly rows: readonly Write[];
  readonly transactions: readonly (readonly Write[])[];
  readonly made: Made;
  /** By the numbers of the tree's parameters. */
  readonly bindings: readonly (readonly PgText[])[];
}

export function schemaSql({ tables, views }: SchemaModel): readonly string[] {
  return [
    ENUM_SQL,
    ...tables.flatMap(tableSql),
    ...views.map(({ name, query }) => `CREATE VIEW ${name} AS ${print(query).text}`),
  ];
}

export function caseOf(model: Model, what: string, manner: Manner | null = null): FuzzCase {
  const { made, bindings } = model;
  const { text, params } = print(whole(made));
  const hasLimit = print(made.limit).text !== '';
  const open = made.ordering.kind === 'columns' && hasLimit;
  return {
    what,
    schema: schemaSql(model),
    query: {
      sql: text,
      unlimited: open ? print(unlimited(made)).text : null,
      ordering: made.ordering,
      bindings: bindings.map((binding) => params.map((index) => binding[index] ?? null)),
    },
    rows: model.rows.map(writeSql),
    transactions: model.transactions.map((writes) => writes.map(writeSql)),
    manner,
  };
}

function unlimited({ body, order }: Made): Sql {
  return sequence([body, order]);
}

/** What FROM may name in a schema. */
export function relationsOf({ tables, views }: SchemaModel): readonly Relation[] {
  return [
    ...tables.map(({ name, columns, key }) => ({ name, columns, key: key.length > 0 ? key : null })),
    ...views.map(({ name, columns }) => ({ name, columns, key: null })),
  ];
}
