import { asc, desc, sql, type SQL } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { alias, except, intersect, union, unionAll, type AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Random } from '../../kit/random.js';
import { columnsOf, type MadeSchema, type MadeTable } from './schema.js';

/* Random queries of Drizzle. Their types are as random as they are: the builders are used by their form alone. */

export interface Select extends PromiseLike<readonly unknown[]> {
  from(source: object): Select;
  leftJoin(source: object, on: SQL): Select;
  rightJoin(source: object, on: SQL): Select;
  innerJoin(source: object, on: SQL): Select;
  fullJoin(source: object, on: SQL): Select;
  crossJoin(source: object): Select;
  leftJoinLateral(source: object, on: SQL): Select;
  where(condition: SQL): Select;
  groupBy(...of: unknown[]): Select;
  orderBy(...by: unknown[]): Select;
  limit(count: number): Select;
  as(name: string): object;
}

interface Db {
  select(fields?: object): Select;
  selectDistinct(fields?: object): Select;
  with(...of: object[]): Db;
  $with(name: string): { as(select: Select): object };
  readonly query: Readonly<
    Record<string, { findMany(config: object): unknown; findFirst(config: object): unknown }>
  >;
}

/** Something to select from: its columns by their names in code. */
interface Source {
  readonly of: object;
  readonly columns: Readonly<Record<string, AnyPgColumn>>;
  readonly names: readonly string[];
}

type Fields = Record<string, unknown>;

const JOINS = ['leftJoin', 'rightJoin', 'innerJoin', 'fullJoin'] as const;

export class RandomDrizzle {
  readonly #random: Random;
  readonly #db: Db;
  readonly #made: MadeSchema;
  #aliases = 0;

  constructor(random: Random, db: NodePgDatabase<Record<string, unknown>>, made: MadeSchema) {
    this.#random = random;
    this.#db = db as unknown as Db;
    this.#made = made;
  }

  /** A query to run or to hold. */
  next(): unknown {
    switch (this.#random.int(10)) {
      case 0:
        return this.#combined();
      case 1:
        return this.#grouped();
      case 2:
      case 3:
      case 4:
        return this.#relational();
      default:
        return this.#joined();
    }
  }

  // ------------------------------------------------------------ selects

  #joined(): Select {
    const random = this.#random;
    const first = this.#source(true);
    const sources = [first];
    const joins: ((select: Select) => Select)[] = [];
    for (let left = random.int(3); left > 0; left--) {
      const source = this.#source(false);
      const [from, to] = [random.pick(sources), source];
      const on = sql`${from.columns[random.pick(['id', 'otherId'])]} = ${to.columns[random.pick(['id', 'otherId'])]}`;
      const join = random.pick(JOINS);
      // A full join takes conditions that can be merged or hashed: an equality is one.
      joins.push((select) => select[join](source.of, on));
      sources.push(source);
    }
    const fields = random.chance(0.35) ? undefined : this.#fields(sources, 0);
    let select = random.chance(0.1)
      ? this.#db.selectDistinct(distinct(fields, sources))
      : this.#db.select(fields);
    select = select.from(first.of);
    for (const join of joins) select = join(select);
    if (random.chance(0.3)) select = select.where(sql`${first.columns['id']} > ${random.int(4)}`);
    if (joins.length === 0 && random.chance(0.3))
      select = select.orderBy(desc(first.columns['id'] as AnyPgColumn));
    return select;
  }

  /** @param plain whether it is the first one, which may be the table itself */
  #source(plain: boolean): Source {
    const random = this.#random;
    const table = random.pick(this.#made.tables);
    const own: Source = { of: table.table, columns: columnsOf(table.table), names: namesOf(table) };
    switch (random.int(6)) {
      case 0:
        return this.#subquery(own);
      case 1:
        if (plain) return this.#view(this.#made.view);
        return this.#view(alias(this.#made.view as never, this.#alias()) as object);
      default:
        if (plain && random.chance(0.7)) return own;
        return aliased(alias(table.table, this.#alias()), own.names);
    }
  }

  #view(of: object): Source {
    return aliased(of, this.#made.viewColumns);
  }

  #subquery({ of, columns, names }: Source): Source {
    const random = this.#random;
    const taken = names.filter(() => random.chance(0.6));
    const all = ['id', 'otherId', ...taken.filter((name) => name !== 'id' && name !== 'otherId')];
    const fields: Fields = Object.fromEntries(all.map((name) => [name, columns[name]]));
    if (random.chance(0.5)) fields['made'] = sql`${columns['id']} * 1.5`.mapWith(Number).as('made');
    const name = this.#alias();
    const select = this.#db.select(fields).from(of);
    return aliased(
      random.chance(0.7) ? select.as(name) : select.limit(3).orderBy(columns['id']).as(name),
      Object.keys(fields),
    );
  }

  #fields(sources: readonly Source[], depth: number): Fields {
    const random = this.#random;
    const fields: Fields = {};
    for (let left = random.between(1, 4); left > 0; left--) {
      const source = random.pick(sources);
      const name = random.pick(source.names);
      const column = source.columns[name];
      const key = `${name}${left}`;
      const chance = random.int(10);
      if (chance < 5) fields[key] = column;
      else if (chance < 7 && depth < 2) fields[`nested${left}`] = this.#fields(sources, depth + 1);
      else if (chance === 7 && depth === 0 && source.of !== this.#made.view)
        fields[`whole${left}`] = whole(source);
      else fields[key] = this.#fragment(source, column as AnyPgColumn);
    }
    return fields;
  }

  #fragment({ columns }: Source, column: AnyPgColumn): unknown {
    const { id } = columns as Record<'id', AnyPgColumn>;
    const fragments: readonly (() => unknown)[] = [
      () => sql`${column}`,
      () => sql`${column}`.mapWith(column),
      () => sql`coalesce(${column}, ${column})`.mapWith(column).as(this.#alias()),
      () => sql`${id} * 2.5`.mapWith(Number),
      () => sql`${id} * 2.5`.mapWith(String),
      () => sql`${id} * 2.5`.mapWith(id),
      () => sql`${id}::text`.mapWith(BigInt),
      () => sql`${id} > 2`,
      () => sql`count(*) OVER ()`,
      () => sql`row_number() OVER (ORDER BY ${id})`.mapWith(Number),
      () => sql`json_build_object('id', ${id}, 'it', ${column})`,
      () => sql`CASE WHEN ${id} > 2 THEN 'more' END`.as(this.#alias()),
      () => sql`(SELECT max(${this.#made.tables[0]?.table}.id) FROM ${this.#made.tables[0]?.table})`,
    ];
    return this.#random.pick(fragments)();
  }

  #grouped(): Select {
    const source = this.#source(true);
    const { otherId, id } = source.columns as Record<'otherId' | 'id', AnyPgColumn>;
    const grouped = this.#db
      .select({
        otherId,
        n: sql`count(*)`.mapWith(Number),
        most: sql`max(${id})`.mapWith(id),
        sum: sql`sum(${id})`,
        mean: sql`avg(${id})`.mapWith(this.#random.pick<() => unknown>([Number, String]) as never),
        all: sql`array_agg(${id} ORDER BY ${id})`,
        json: sql`json_agg(${id} ORDER BY ${id})`,
      })
      .from(source.of)
      .groupBy(otherId);
    if (this.#random.chance(0.5)) return grouped;
    const name = this.#alias();
    const cte = this.#db.$with(name).as(
      this.#db
        .select({ group: sql`${otherId}`.as('group'), n: sql`count(*)`.mapWith(Number).as('n') })
        .from(source.of)
        .groupBy(otherId),
    );
    const target = this.#random.pick(this.#made.tables);
    const group = (cte as { group: AnyPgColumn }).group;
    return this.#db
      .with(cte)
      .select()
      .from(target.table)
      .leftJoin(cte, sql`${group} = ${columnsOf(target.table)['id']}`);
  }

  #combined(): unknown {
    const random = this.#random;
    const [one, other] = [this.#source(true), this.#source(true)];
    const of = ({ columns, of: from }: Source): Select =>
      this.#db
        .select({ id: columns['id'], mark: sql`${columns['otherId']}::numeric`.mapWith(Number).as('mark') })
        .from(from);
    const combine = random.pick([union, unionAll, intersect, except]) as unknown as (
      a: Select,
      b: Select,
    ) => Select;
    const combined = combine(of(one), of(other));
    if (random.chance(0.5)) return combined;
    return this.#db.select().from(combined.as(this.#alias()));
  }

  // ------------------------------------------------------------ relations

  #relational(): unknown {
    const table = this.#random.pick(this.#made.tables);
    const finder = this.#db.query[table.key];
    const config = this.#config(table, 0);
    return this.#random.chance(0.2) ? finder?.findFirst(config) : finder?.findMany(config);
  }

  #config(table: MadeTable, depth: number): object {
    const random = this.#random;
    const { id } = columnsOf(table.table) as Record<'id', AnyPgColumn>;
    const lossy = Object.entries(table.kinds).filter(([, { loses }]) => depth > 0 && loses === true);
    const names = namesOf(table).filter((name) => !lossy.some(([of]) => of === name));
    const chosen = names.filter(() => random.chance(0.6));
    const included = random.chance(0.5) || lossy.length > 0;
    const columns = Object.fromEntries(
      included
        ? (chosen.length > 0 ? chosen : names).map((name) => [name, true])
        : names.filter((name) => !chosen.includes(name)).map((name) => [name, false]),
    );
    const related = depth < 2 ? table.related.filter(() => random.chance(0.4)) : [];
    const within = Object.fromEntries(
      related.map(({ name, to }) => [name, this.#within(to, depth, /^(own|other)$/.test(name))]),
    );
    return {
      ...(Object.keys(columns).length === 0 ? {} : { columns }),
      ...(related.length === 0 ? {} : { with: within }),
      ...(random.chance(0.3)
        ? {
            extras: {
              extra: sql`${id} + 0.5`
                .mapWith(random.pick<() => unknown>([Number, String]) as never)
                .as('extra'),
            },
          }
        : {}),
      orderBy: [random.chance(0.5) ? asc(id) : desc(id)],
      ...(random.chance(0.2) ? { limit: random.between(1, 3) } : {}),
      ...(random.chance(0.2) ? { where: sql`${id} < ${random.between(1, 6)}` } : {}),
    };
  }

  #within(to: string, depth: number, single: boolean): unknown {
    const table = this.#made.tables.find(({ key }) => key === to);
    if (table === undefined) throw new Error('assertion failed: no such table');
    const { where: _, orderBy, limit, ...rest } = this.#config(table, depth + 1) as Record<string, unknown>;
    return single ? rest : { ...rest, orderBy, ...(limit === undefined ? {} : { limit }) };
  }

  #alias(): string {
    return `as_${++this.#aliases}`;
  }
}

function namesOf({ kinds }: MadeTable): readonly string[] {
  return ['id', 'otherId', ...Object.keys(kinds)];
}

function aliased(of: object, names: readonly string[]): Source {
  return { of, names, columns: of as Readonly<Record<string, AnyPgColumn>> };
}

function whole({ of, columns, names }: Source): unknown {
  return 'getSQLType' in of ? of : Object.fromEntries(names.map((name) => [name, columns[name]]));
}

/** JSON and points cannot be told apart by DISTINCT: only numbers are selected. */
function distinct(fields: Fields | undefined, sources: readonly Source[]): Fields | undefined {
  void fields;
  return Object.fromEntries(sources.map(({ columns }, index) => [`id${index}`, columns['id']]));
}
