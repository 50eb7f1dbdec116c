import { relations, type Relations } from 'drizzle-orm';
import { integer, pgSchema, pgTable, pgView, type AnyPgColumn, type PgTable } from 'drizzle-orm/pg-core';
import type { Random } from '../../kit/random.js';
import { KINDS, type Kind } from './palette.js';

/*
 * A random schema: tables of random columns, some in a schema of their own, each with a number, a reference to a row
 * of another table (that may not be there) and one to a row of its own; a view; and the relations between them.
 */

export interface MadeTable {
  /** Its name in code: the key of `db.query`. */
  readonly key: string;
  /** As SQL writes it. */
  readonly name: string;
  readonly table: PgTable;
  readonly kinds: Readonly<Record<string, Kind>>;
  /** The relations of it: key in `with`, and the table that it leads to. */
  readonly related: readonly { readonly name: string; readonly to: string }[];
}

export interface MadeSchema {
  readonly tables: readonly MadeTable[];
  readonly view: object;
  readonly viewColumns: readonly string[];
  /** What `drizzle(pool, { schema })` takes. */
  readonly schema: Readonly<Record<string, PgTable | Relations>>;
  readonly setup: string;
}

const ROWS = 5;

/** @param snake whether names in code are camelCase and left to `casing: 'snake_case'` */
export function makeSchema(random: Random, snake: boolean): MadeSchema {
  const plans = ['alpha', 'betaGamma', 'delta'].map((key) => planTable(random, key, snake));
  const made = plans.map((plan): MadeTable => {
    const others = plans.filter(({ key }) => key !== plan.key).map(({ key }) => key);
    const named = [
      { name: 'own', to: plan.key },
      { name: 'other', to: plan.other },
      { name: 'owned', to: plan.key },
    ];
    const many = others.filter((key) => plans.some((from) => from.key === key && from.other === plan.key));
    return { ...plan, related: [...named, ...many.map((key) => ({ name: `${key}s`, to: key }))] };
  });
  const [first] = made;
  if (first === undefined) throw new Error('assertion failed: no table');
  const viewColumns = ['id', 'otherId', ...Object.keys(first.kinds)];
  return {
    tables: made,
    view: makeView(first),
    viewColumns,
    schema: { ...Object.fromEntries(made.map(({ key, table }) => [key, table])), ...allRelations(plans) },
    setup: [
      PREAMBLE,
      ...plans.flatMap(({ create }) => create),
      ...made.flatMap((table) =>
        Array.from({ length: ROWS }, (_, index) => insert(random, table, index + 1)),
      ),
      `CREATE VIEW seen AS SELECT ${viewColumns.map((name) => `"${column(name)}"`).join(', ')} FROM ${first.name}`,
    ].join(';\n'),
  };
}

const PREAMBLE = `CREATE TYPE mood AS ENUM ('sad', 'ok', 'a "quoted" one'); CREATE DOMAIN label AS text; CREATE SCHEMA apart`;

interface Plan extends Omit<MadeTable, 'related'> {
  readonly other: string;
  readonly create: string;
}

function planTable(random: Random, key: string, snake: boolean): Plan {
  const apart = random.chance(0.4);
  const kinds: Record<string, Kind> = {};
  for (let left = random.between(2, 7); left > 0; left--) {
    const kind = random.pick(KINDS);
    kinds[`${kind.name}One`] = kind;
  }
  const columns: Record<string, object> = {
    id: integer().primaryKey(),
    otherId: snake ? integer() : integer('other_id'),
    ownId: snake ? integer() : integer('own_id'),
  };
  for (const [name, { make }] of Object.entries(kinds)) {
    const made = make() as { config: { name: string; keyAsName: boolean } };
    if (!snake) Object.assign(made.config, { name: column(name), keyAsName: false });
    columns[name] = made;
  }
  const tableName = column(key);
  const create = apart ? pgSchema('apart').table : pgTable;
  const name = `${apart ? 'apart.' : ''}${tableName}`;
  const types = Object.entries(kinds).map(([of, { type }]) => `"${column(of)}" ${type}`);
  const others = ['alpha', 'betaGamma', 'delta'].filter((other) => other !== key);
  return {
    key,
    name,
    kinds,
    table: (create as (name: string, columns: object) => PgTable)(tableName, columns),
    other: random.pick(others),
    create: `CREATE TABLE ${name} (id int PRIMARY KEY, other_id int, own_id int, ${types.join(', ')})`,
  };
}

/** As Drizzle's `casing: 'snake_case'` writes it. */
export function column(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function columnsOf(table: PgTable): Readonly<Record<string, AnyPgColumn>> {
  return table as unknown as Readonly<Record<string, AnyPgColumn>>;
}

function makeView({ kinds }: MadeTable): object {
  const columns: Record<string, object> = { id: integer(), otherId: integer('other_id') };
  for (const [name, { make }] of Object.entries(kinds)) {
    const made = make() as { config: { name: string; keyAsName: boolean } };
    Object.assign(made.config, { name: column(name), keyAsName: false, generated: undefined });
    columns[name] = made;
  }
  return pgView('seen', columns as never).existing();
}

function allRelations(plans: readonly Plan[]): Readonly<Record<string, Relations>> {
  const tableOf = (key: string): PgTable => {
    const plan = plans.find((one) => one.key === key);
    if (plan === undefined) throw new Error('assertion failed: no such table');
    return plan.table;
  };
  return Object.fromEntries(
    plans.map(({ key, table, other }) => {
      const { id, otherId, ownId } = columnsOf(table) as Record<'id' | 'otherId' | 'ownId', AnyPgColumn>;
      const from = plans.filter((one) => one.other === key);
      const made = relations(table, ({ one, many }) => ({
        own: one(table, { fields: [ownId], references: [id], relationName: `${key}-own` }),
        owned: many(table, { relationName: `${key}-own` }),
        other: one(tableOf(other), {
          fields: [otherId],
          references: [columnsOf(tableOf(other))['id'] as AnyPgColumn],
          relationName: `${key}-other`,
        }),
        ...Object.fromEntries(
          from.map((source) => [
            `${source.key}s`,
            many(source.table, { relationName: `${source.key}-other` }),
          ]),
        ),
      }));
      return [`${key}Relations`, made];
    }),
  );
}

// ---------------------------------------------------------------- rows

const reference = (random: Random): string =>
  random.chance(0.3) ? 'NULL' : String(random.between(1, ROWS + 1));

const literal = (random: Random, { values, type }: Kind): string =>
  values[0] === 'DEFAULT' ? 'DEFAULT' : random.chance(0.25) ? 'NULL' : cast(random.pick(values), type);

function cast(value: string, type: string): string {
  return `CAST(${value} AS ${type})`;
}

function insert(random: Random, { name, kinds }: MadeTable, id: number): string {
  const values = Object.values(kinds).map((kind) => literal(random, kind));
  return `INSERT INTO ${name} VALUES (${[id, reference(random), reference(random), ...values].join(', ')})`;
}

/** A random change of a row, or of all. */
export function change(random: Random, { tables }: MadeSchema): string {
  const table = random.pick(tables);
  const id = random.between(1, ROWS + 2);
  switch (random.int(4)) {
    case 0:
      return `DELETE FROM ${table.name} WHERE id = ${id}`;
    case 1:
      return `${insert(random, table, id)} ON CONFLICT (id) DO UPDATE SET other_id = EXCLUDED.other_id, own_id = NULL`;
    default: {
      const kinds = Object.entries(table.kinds).filter(([, { values }]) => values[0] !== 'DEFAULT');
      const sets = kinds.map(([name, kind]) => `"${column(name)}" = ${literal(random, kind)}`);
      const all = [`other_id = ${reference(random)}`, ...sets].join(', ');
      return `UPDATE ${table.name} SET ${all} WHERE ${random.chance(0.2) ? 'true' : `id = ${id}`}`;
    }
  }
}
