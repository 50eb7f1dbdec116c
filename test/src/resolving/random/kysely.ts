import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/postgres';
import type { Random } from '../../kit/random.js';
import { column, type MadeSchema, type MadeTable } from './schema.js';

/* Random queries of Kysely over tables of which its types know nothing: columns are dynamic. */

type Untyped = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export class RandomKysely {
  readonly #random: Random;
  readonly #db: Kysely<Untyped>;
  readonly #made: MadeSchema;
  #aliases = 0;

  constructor(random: Random, db: Kysely<Untyped>, made: MadeSchema) {
    this.#random = random;
    this.#db = db;
    this.#made = made;
  }

  next(): unknown {
    const random = this.#random;
    const table = random.pick(this.#made.tables);
    const joined = random.pick(this.#made.tables);
    const [schema, name] = split(table);
    const db = schema === null || random.chance(0.3) ? this.#db : this.#db.withSchema(schema);
    const source = db === this.#db && schema !== null ? table.name : name;
    const base = db.selectFrom(`${source} as t`);
    switch (random.int(5)) {
      case 0:
        return hasInterval(table) ? base.select(this.#columns(table, 't') as never) : base.selectAll();
      case 1:
        return this.#join(table, joined).select([
          ...this.#columns(table, 't'),
          ...this.#columns(joined, 'j'),
        ] as never);
      case 2:
        return this.#nested(table, joined);
      case 3:
        return this.#computed(table);
      default:
        return base
          .select(this.#columns(table, 't') as never)
          .where('t.id', '>', random.int(4) as never)
          .orderBy('t.id', 'desc')
          .limit(3);
    }
  }

  #join(table: MadeTable, joined: MadeTable): SelectQueryBuilder<never, never, object> {
    const from = this.#db.selectFrom(`${table.name} as t`);
    const [of, one, other] = [`${joined.name} as j`, 'j.id', 't.other_id'] as const;
    const joins: readonly (() => unknown)[] = [
      () => from.leftJoin(of, one, other),
      () => from.rightJoin(of, one, other),
      () => from.innerJoin(of, one, other),
      () => from.fullJoin(of, one, other),
    ];
    return this.#random.pick(joins)() as SelectQueryBuilder<never, never, object>;
  }

  #columns({ kinds }: MadeTable, of: string): readonly string[] {
    const names = [
      'id',
      ...Object.entries(kinds)
        .filter(([, { type }]) => !type.startsWith('interval'))
        .map(([name]) => name),
    ];
    return names
      .filter((name) => name === 'id' || this.#random.chance(0.6))
      .map(
        (name) => `${of}.${column(name)}${this.#random.chance(0.3) ? ` as ${name}${++this.#aliases}` : ''}`,
      );
  }

  #nested(table: MadeTable, inner: MadeTable): unknown {
    const columns = this.#columns(inner, 'i');
    return this.#db.selectFrom(`${table.name} as t`).select((eb) => [
      't.id',
      jsonArrayFrom(
        eb
          .selectFrom(`${inner.name} as i`)
          .select(columns as never)
          .whereRef('i.other_id' as never, '=', 't.id' as never)
          .orderBy('i.id' as never),
      ).as('list'),
      jsonObjectFrom(
        eb
          .selectFrom(`${inner.name} as i`)
          .select(columns as never)
          .whereRef('i.id' as never, '=', 't.other_id' as never),
      ).as('one'),
    ]);
  }

  #computed(table: MadeTable): unknown {
    return this.#db
      .with('c', (cte) => cte.selectFrom(`${table.name} as t`).select(['t.id', 't.other_id']))
      .selectFrom('c')
      .select((eb) => [
        'c.id',
        eb
          .case()
          .when('c.id', '>', 2 as never)
          .then('more')
          .else(null)
          .end()
          .as('much'),
        eb.fn.countAll().over().as('n'),
        eb.fn
          .agg('row_number')
          .over((over) => over.partitionBy('c.other_id').orderBy('c.id'))
          .as('nth'),
        sql`${sql.ref('c.id')}::numeric / 4`.as('quarter'),
        sql`ARRAY[c.id::numeric, NULL]`.as('numbers'),
        eb.cast('c.id', 'text').as('text'),
      ]);
  }
}

/** What the driver gives as an object of a class of its own: docs/queries.md. */
function hasInterval({ kinds }: MadeTable): boolean {
  return Object.values(kinds).some(({ type }) => type.startsWith('interval'));
}

function split({ name }: MadeTable): readonly [schema: string | null, name: string] {
  const [schema, own] = name.split('.');
  return own === undefined ? [null, name] : [schema ?? null, own];
}
