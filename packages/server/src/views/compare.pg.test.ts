import { ALL_PIECES } from '@sluice/core/chunks/all';
import { comparator, equalityKey } from '@sluice/core/engine/compare';
import { compilePredicate, prepareBinding } from '@sluice/core/engine/predicate';
import type { Predicate, ValueType } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';

// The engine's comparisons are Postgres's, on every pair of values that break engines (P1).

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await sharedDatabase(`CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'Zen')`);
  client = new pg.Client({
    connectionString: database.adminUrl,
    types: { getTypeParser: () => (text: string) => text },
  });
  await client.connect();
  await client.query(`SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET extra_float_digits = 1`);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const long = '12345678901234567890123456789012345678901234567890';
const cases: { pgType: string; type: ValueType; values: string[] }[] = [
  {
    pgType: 'int8',
    type: { kind: 'int' },
    values: [
      '0',
      '-1',
      '1',
      '9',
      '10',
      '-10',
      '-9',
      '9007199254740993',
      '9007199254740992',
      '-9223372036854775808',
      '9223372036854775807',
    ],
  },
  {
    pgType: 'numeric',
    type: { kind: 'numeric' },
    values: [
      '0',
      '0.00',
      '-0.0',
      '1',
      '1.0',
      '1.00',
      '1.01',
      '-1.5',
      '-1.49',
      '0.1',
      '0.09',
      'NaN',
      'Infinity',
      '-Infinity',
      long,
      `-${long}`,
      `${long}.1`,
      '1e-20',
      '10',
      '9.999',
    ],
  },
  {
    pgType: 'float8',
    type: { kind: 'float' },
    values: [
      '0',
      '-0',
      '1',
      '-1',
      'NaN',
      'Infinity',
      '-Infinity',
      '1e300',
      '1e-300',
      '0.1',
      '0.30000000000000004',
      '1e20',
      '100000',
    ],
  },
  {
    pgType: 'float4',
    type: { kind: 'float' },
    values: ['0', '-0', '0.1', '1e30', 'NaN', 'Infinity', '3.4028235e38', '1e-45'],
  },
  { pgType: 'bool', type: { kind: 'bool' }, values: ['t', 'f'] },
  {
    pgType: 'uuid',
    type: { kind: 'uuid' },
    values: [
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-0000-0000-0000-000000000000',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12',
    ],
  },
  {
    pgType: 'bytea',
    type: { kind: 'bytea' },
    values: ['\\x', '\\x00', '\\xff', '\\x0102', '\\x01', '\\x7f80'],
  },
  {
    pgType: 'date',
    type: { kind: 'date' },
    values: [
      '2024-02-29',
      '0001-01-01',
      '0001-12-31 BC',
      '0044-03-15 BC',
      '0044-03-16 BC',
      '4713-01-01 BC',
      '9999-12-31',
      '10000-01-01',
      '294276-01-01',
      'infinity',
      '-infinity',
    ],
  },
  {
    pgType: 'timestamp',
    type: { kind: 'timestamp' },
    values: [
      '2024-01-01 00:00:00',
      '2024-01-01 00:00:00.5',
      '2024-01-01 00:00:00.45',
      '2024-01-01 00:00:00.000001',
      '0044-03-15 12:00:00.1 BC',
      '0044-03-15 12:00:00 BC',
      '12024-01-01 00:00:00',
      'infinity',
      '-infinity',
    ],
  },
  {
    pgType: 'timestamptz',
    type: { kind: 'timestamptz' },
    values: [
      '2024-01-01 00:00:00+00',
      '2024-01-01 01:00:00+01',
      '2024-01-01 00:00:00.5+00',
      '2023-12-31 23:59:59.999999+00',
      '0044-03-15 12:00:00+00 BC',
      'infinity',
      '-infinity',
    ],
  },
  {
    pgType: 'text COLLATE "C"',
    type: { kind: 'text', ordered: true },
    values: [
      '',
      'a',
      'A',
      'ab',
      'a b',
      'é',
      'e\u0301',
      'ß',
      'İ',
      'i',
      '😀',
      '\uff5a',
      '\uffff',
      'z',
      '10',
      '9',
      ' ',
    ],
  },
  {
    pgType: 'mood',
    type: { kind: 'enum', labels: ['sad', 'ok', 'happy', 'Zen'] },
    values: ['Zen', 'sad', 'ok', 'happy'],
  },
];

test.each(cases)('$pgType: order and equality', async ({ pgType, type, values }) => {
  const bare = pgType.split(' ')[0] ?? pgType;
  const { rows } = await client.query<{ a: string; b: string; less: string; equal: string }>(
    `SELECT x::${bare} AS a, y::${bare} AS b, x::${pgType} < y::${pgType} AS less, x::${pgType} = y::${pgType} AS equal
     FROM unnest($1::text[]) x, unnest($1::text[]) y`,
    [values],
  );
  expect(rows).toHaveLength(values.length ** 2);
  const compare = comparator(type, ALL_PIECES.types);
  const key = equalityKey(type, ALL_PIECES.types);
  for (const { a, b, less, equal } of rows) {
    expect([a, b, compare(a, b) < 0]).toEqual([a, b, less === 't']);
    expect([a, b, compare(a, b) === 0]).toEqual([a, b, equal === 't']);
    expect([a, b, key(a) === key(b)]).toEqual([a, b, equal === 't']);
  }
});

const INT: ValueType = { kind: 'int' };
const conditions: { sql: string; predicate: Predicate }[] = (
  ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'distinct', 'not_distinct'] as const
)
  .map((op): { sql: string; predicate: Predicate } => ({
    sql: `a ${{ eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=', distinct: 'IS DISTINCT FROM', not_distinct: 'IS NOT DISTINCT FROM' }[op]} b`,
    predicate: { op, left: { column: 0 }, right: { column: 1 }, type: INT },
  }))
  .concat([
    { sql: 'a = ANY (l)', predicate: { op: 'any', left: { column: 0 }, array: 0, type: INT } },
    { sql: 'a <> ALL (l)', predicate: { op: 'all_ne', left: { column: 0 }, array: 0, type: INT } },
    { sql: 'a IS NULL', predicate: { op: 'is_null', arg: { column: 0 } } },
    { sql: 'a IS NOT NULL', predicate: { op: 'is_not_null', arg: { column: 0 } } },
  ]);
const a = conditions[0] as (typeof conditions)[number];
const any = conditions[8] as (typeof conditions)[number];
const less = conditions[2] as (typeof conditions)[number];
conditions.push(
  { sql: `NOT (${any.sql})`, predicate: { op: 'not', arg: any.predicate } },
  { sql: `(${a.sql}) AND (${any.sql})`, predicate: { op: 'and', args: [a.predicate, any.predicate] } },
  { sql: `(${a.sql}) OR (${any.sql})`, predicate: { op: 'or', args: [a.predicate, any.predicate] } },
  {
    sql: `NOT ((${less.sql}) OR NOT (${any.sql}))`,
    predicate: { op: 'not', arg: { op: 'or', args: [less.predicate, { op: 'not', arg: any.predicate }] } },
  },
);
for (const value of [true, false, null]) {
  for (const negated of [true, false]) {
    const sql = `(${a.sql}) IS ${negated ? 'NOT ' : ''}${value === null ? 'UNKNOWN' : String(value).toUpperCase()}`;
    conditions.push({ sql, predicate: { op: 'is', arg: a.predicate, value, negated } });
  }
}

test.each(conditions)('three-valued logic by enumeration: $sql', async ({ sql, predicate }) => {
  const { rows } = await client.query<{ a: PgText; b: PgText; l: PgText; truth: PgText }>(
    `SELECT a, b, l, (${sql}) AS truth FROM (VALUES (1), (2), (NULL)) x(a), (VALUES (1), (2), (NULL)) y(b),
     (VALUES ('{}'::int[]), ('{1}'), ('{2,NULL}'), ('{NULL}'), ('{1,2}'), (NULL)) z(l)`,
  );
  expect(rows).toHaveLength(54);
  const condition = compilePredicate(predicate, ALL_PIECES.types);
  for (const row of rows) {
    const truth = condition([row.a, row.b], prepareBinding(predicate, [row.l], ALL_PIECES.types));
    expect([row, truth === null ? null : truth ? 't' : 'f']).toEqual([row, row.truth]);
  }
});
