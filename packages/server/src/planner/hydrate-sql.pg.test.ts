import type { PgText } from '@sluice/core/value';
import { must } from '@sluice/core/assert';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planningBench, type PlanningBench } from '../testing/planning.js';
import { hydrateSql } from './hydrate-sql.js';
import type { Planned } from './planned.js';

// One sentence: what an incremental plan reads is what the query answers. The plan is compiled back to SQL and both
// are run on the same data, for queries that fast-check makes up.

let bench: PlanningBench;

beforeAll(async () => {
  bench = await planningBench(`
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
    CREATE DOMAIN code AS text;
    CREATE TABLE t (
      id int PRIMARY KEY, i2 smallint, i8 bigint, n numeric, f float8, b bool, s text, c text COLLATE "C",
      v varchar(5), m mood, d date, ts timestamp, tz timestamptz, u uuid, y bytea, k code);
    INSERT INTO t SELECT i,
      nullif(i % 5, 0), nullif(i % 7, 0) * 10000000000, nullif(i % 6, 0) * 1.50, nullif(i % 4, 0) / 4.0,
      CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END, nullif(chr(96 + i % 5), chr(96)), nullif(chr(64 + i % 9), '@'),
      nullif(repeat('x', i % 4), ''), (ARRAY['sad', 'ok', 'glad', NULL])[1 + i % 4]::mood,
      date '2020-01-01' + nullif(i % 8, 0), timestamp '2020-01-01' + make_interval(hours => i % 11),
      timestamptz '2020-01-01 00:00+00' + make_interval(hours => i % 11), CASE WHEN i % 2 = 0 THEN
      ('00000000-0000-0000-0000-00000000000' || i % 10)::uuid END, decode(lpad(to_hex(i % 6), 2, '0'), 'hex'),
      'k' || i % 3
    FROM generate_series(1, 60) AS i;`);
});
afterAll(() => bench.end());

interface Kind {
  readonly column: string;
  readonly type: string;
  /** Values as Postgres prints them. */
  readonly values: readonly string[];
  /** Constants of the query text, beyond quoted values. */
  readonly constants?: readonly string[];
}

const KINDS: readonly Kind[] = [
  {
    column: 'id',
    type: 'int4',
    values: ['1', '7', '30', '60'],
    constants: ['5', '-1', '3.5', '99999999999', '1e1'],
  },
  { column: 'i2', type: 'int2', values: ['1', '3'], constants: ['2', '70000', '2.0'] },
  { column: 'i8', type: 'int8', values: ['10000000000', '5'], constants: ['20000000000', '0', '1e10'] },
  { column: 'n', type: 'numeric', values: ['1.5', '3.00', '4.50'], constants: ['1.5', '3', '4.500'] },
  { column: 'f', type: 'float8', values: ['0.25', '0.5', 'NaN'], constants: ['0.5', '0', '0.75'] },
  { column: 's', type: 'text', values: ['a', 'c', 'B', ''] },
  { column: 'c', type: 'text', values: ['A', 'C', 'b'] },
  { column: 'v', type: 'text', values: ['x', 'xx', 'y'] },
  { column: 'm', type: 'mood', values: ['sad', 'ok', 'glad'] },
  {
    column: 'd',
    type: 'date',
    values: ['2020-01-02', '2020-01-05', 'infinity'],
    constants: [`date '2020-01-04'`],
  },
  { column: 'ts', type: 'timestamp', values: ['2020-01-01 03:00:00', '-infinity'] },
  { column: 'tz', type: 'timestamptz', values: ['2020-01-01 03:00:00+00', '2020-01-01 04:00:00+02'] },
  {
    column: 'u',
    type: 'uuid',
    values: ['00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000004'],
  },
  { column: 'y', type: 'bytea', values: ['\\x01', '\\x03', '\\x'] },
  { column: 'k', type: 'text', values: ['k0', 'k1'] },
];

/** A piece of SQL with the parameters that it uses, each a value per binding. */
interface Piece {
  readonly sql: (param: (value: readonly PgText[]) => string) => string;
}

const BINDINGS = 3;
const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** A constant or a parameter of a kind. */
function operand(kind: Kind): fc.Arbitrary<Piece> {
  const constant = fc
    .constantFrom(...(kind.constants ?? []), ...kind.values.map(literal))
    .map((text): Piece => ({ sql: () => text }));
  const value = fc.option(fc.constantFrom(...kind.values), { nil: null, freq: 8 });
  const param = fc
    .array(value, { minLength: BINDINGS, maxLength: BINDINGS })
    .map((values): Piece => ({ sql: (bind) => bind(values) }));
  return fc.oneof(constant, param);
}

function arrayOf(kind: Kind): fc.Arbitrary<Piece> {
  const text = fc
    .array(fc.option(fc.constantFrom(...kind.values), { nil: null, freq: 6 }), { maxLength: 4 })
    .map((values) => `{${values.map((v) => (v === null ? 'NULL' : JSON.stringify(v))).join(',')}}`);
  return fc
    .array(text, { minLength: BINDINGS, maxLength: BINDINGS })
    .map((values): Piece => ({ sql: (bind) => bind(values) }));
}

const comparison: fc.Arbitrary<Piece> = fc.constantFrom(...KINDS).chain((kind) => {
  const column = kind.column === 's' ? '"t".s COLLATE "C"' : kind.column;
  const [x, y] = [operand(kind), operand(kind)];
  return fc.oneof(
    fc
      .tuple(
        fc.constantFrom('=', '<>', '!=', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'),
        x,
        fc.boolean(),
      )
      .map(([op, a, flip]): Piece => {
        const flipped = flip && !op.startsWith('IS');
        return { sql: (p) => (flipped ? `${a.sql(p)} ${op} ${column}` : `${column} ${op} ${a.sql(p)}`) };
      }),
    fc
      .tuple(fc.constantFrom('BETWEEN', 'NOT BETWEEN', 'BETWEEN SYMMETRIC', 'NOT BETWEEN SYMMETRIC'), x, y)
      .map(([op, a, b]): Piece => ({ sql: (p) => `${column} ${op} ${a.sql(p)} AND ${b.sql(p)}` })),
    fc
      .tuple(fc.constantFrom('IN', 'NOT IN'), fc.array(x, { minLength: 1, maxLength: 4 }))
      .map(([op, list]): Piece => ({
        sql: (p) => `${kind.column} ${op} (${list.map((i) => i.sql(p)).join(', ')})`,
      })),
    fc
      .tuple(fc.constantFrom('= ANY', '<> ALL'), arrayOf(kind))
      .map(([op, a]): Piece => ({ sql: (p) => `${kind.column} ${op} (${a.sql(p)})` })),
    fc.constantFrom('IS NULL', 'IS NOT NULL').map((op): Piece => ({ sql: () => `${kind.column} ${op}` })),
  );
});

const booleans: fc.Arbitrary<Piece> = fc
  .constantFrom('b', 'NOT b', 'b = true', 'b IS NOT TRUE', 'b IS UNKNOWN', 'true', 'false', 'b <> (false)')
  .map((sql): Piece => ({ sql: () => sql }));

const condition: fc.Arbitrary<Piece> = fc.letrec<{ node: Piece }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    comparison,
    booleans,
    fc
      .tuple(fc.constantFrom('AND', 'OR'), tie('node'), tie('node'))
      .map(([op, a, b]): Piece => ({ sql: (p) => `(${a.sql(p)}) ${op} (${b.sql(p)})` })),
    tie('node').map((a): Piece => ({ sql: (p) => `NOT (${a.sql(p)})` })),
    fc
      .tuple(tie('node'), fc.constantFrom('IS TRUE', 'IS NOT FALSE', 'IS NOT UNKNOWN', 'IS NULL'))
      .map(([a, op]): Piece => ({ sql: (p) => `(${a.sql(p)}) ${op}` })),
  ),
})).node;

const order = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'i2',
        'i8',
        'n',
        'f',
        'b',
        'c',
        's COLLATE "C"',
        'm',
        'd',
        'ts',
        'tz',
        'u',
        'y',
        '2',
        'q',
      ),
      fc.constantFrom('', ' ASC', ' DESC'),
      fc.constantFrom('', ' NULLS FIRST', ' NULLS LAST'),
    ),
    { maxLength: 3 },
  )
  .map((terms) => [...terms.map((term) => term.join('')), 'id'].join(', '));

const query = fc.record({
  where: condition,
  order: fc.option(order, { nil: null }),
  limit: fc.option(fc.integer({ min: 0, max: 20 }), { nil: null }),
  offset: fc.option(fc.integer({ min: 0, max: 5 }), { nil: null }),
});

test('what an incremental plan reads is what the query answers', async () => {
  await fc.assert(
    fc.asyncProperty(query, async ({ where, order: by, limit, offset }) => {
      const params: (readonly PgText[])[] = [];
      const bind = (values: readonly PgText[]): string => `$${params.push(values)}`;
      const condition = where.sql(bind);
      const window =
        by === null
          ? ''
          : `${limit === null ? '' : ` LIMIT ${limit}`}${offset === null ? '' : ` OFFSET ${offset}`}`;
      const sql = `SELECT id, n AS q, *, t.v FROM t WHERE ${condition}${by === null ? '' : ` ORDER BY ${by}`}${window}`;
      const planned = await bench.plan(sql);
      await compare(
        sql,
        planned,
        params,
        limit === null ? null : limit + (offset ?? 0),
        offset ?? 0,
        by !== null,
      );
    }),
    { numRuns: 200 },
  );
}, 300_000);

async function compare(
  sql: string,
  planned: Planned,
  params: readonly (readonly PgText[])[],
  rowsMax: number | null,
  offset: number,
  ordered: boolean,
): Promise<void> {
  if (planned.gear.kind === 'rerun') throw new Error('expected an incremental plan');
  const { plan, params: lifted } = planned.gear;
  if (plan.kind !== 'table') throw new Error('expected a plan of one table');
  const values = Array.from({ length: BINDINGS }, (_, at) => params.map((param) => param[at] ?? null));
  const bindings = await Promise.all(values.map((value) => bench.bind(planned, value)));
  const table = must(bench.registry.tables.get(plan.table), 'the plan names a table');
  const windows = ordered ? bindings.map(() => rowsMax) : null;
  const built = hydrateSql(
    plan,
    table,
    lifted.map((param) => param.type),
    bindings,
    windows,
  );
  const { rows } = await bench.run(built.text, built.params);
  for (const [at, value] of values.entries()) {
    const expected = (await bench.run(sql, value)).rows.map((row) => JSON.stringify(row));
    const own = rows
      .filter((row) => row[0] === String(at + 1))
      .slice(ordered ? offset : 0)
      .map((row) => JSON.stringify(plan.project.map((column) => row[column + 1])));
    expect(ordered ? own : own.toSorted()).toEqual(ordered ? expected : expected.toSorted());
  }
}

test('spellings of one condition share a template, whatever stands as constant or parameter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...KINDS), fc.constantFrom('=', '<>', '>'), async (kind, op) => {
      if (kind.column === 's') return;
      const value = literal(must(kind.values[0], 'a value'));
      const [constant, param] = await Promise.all([
        bench.plan(`SELECT id FROM t WHERE ${kind.column} ${op} ${value}`),
        bench.plan(`select  x.id as other from public.t x where x.${kind.column} ${op} $1`),
      ]);
      expect(constant.gear.kind).toBe('incremental');
      expect(constant.template).toBe(param.template);
    }),
  );
});
