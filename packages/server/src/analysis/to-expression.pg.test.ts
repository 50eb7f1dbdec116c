import type { Expression } from '@sluice/core/expression';
import { ALL_PIECES } from '@sluice/core/chunks/all';
import { compileExpression } from '@sluice/core/expression/compile';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OUTPUT_SETTINGS } from '../source/database.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { analyse } from './analyse.js';
import { NotExpressible } from './expression-reasons.js';
import { Lifted, type LiftedParam } from './lifted.js';
import { toExpression } from './to-expression.js';

// What the engine computes from an expression of the algebra is what Postgres answers for the text that it came from.

let database: TestDatabase;
let pool: pg.Pool;
let truth: pg.Client;

const COLUMNS = [
  'id',
  'n',
  'big',
  'num',
  'f',
  't',
  'c',
  'v',
  'b',
  'd',
  'ts',
  'tz',
  'iv',
  'u',
  'j',
  'arr',
  'm',
  'by',
];

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE COLLATION loose (provider = icu, locale = 'und', deterministic = false);
    CREATE DOMAIN posint AS int CHECK (VALUE > 0);
    CREATE TABLE item (id int PRIMARY KEY, n posint, big int8, num numeric, f float8, t text, c text COLLATE "C", v varchar(5),
      b bool, d date, ts timestamp, tz timestamptz, iv interval, u uuid, j jsonb, arr int[], m mood, by bytea);
    CREATE FUNCTION own(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i';
    INSERT INTO item VALUES
      (1, 5, 9007199254740993, 1.50, 0.1, 'Abc', 'b', 'x', true, '2024-02-29', '2024-02-29 12:00', '2024-02-29 12:00+00', '1 day', '00000000-0000-0000-0000-000000000001', '{"a": 1}', '{1,2,NULL}', 'ok', '\\x00ff'),
      (2, NULL, -1, 'NaN', '-0', '', 'B', '', false, 'infinity', '1999-12-31 23:59:59.999999', '-infinity', '-1 mon', NULL, '[1, "x"]', '{}', 'sad', '\\x'),
      (3, 7, 0, 0.00, 'NaN', NULL, NULL, NULL, NULL, '0044-03-15 BC', NULL, NULL, NULL, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'null', NULL, NULL, NULL),
      (4, 1, NULL, -2.25, 1e300, 'zz top', 'zz', 'ab c', true, '2024-03-01', '0001-01-01', '2024-03-01 00:00+00', '04:05:06.7', NULL, '{"b": [1, {"c": null}]}', '{3,2,1}', 'happy', '\\x01')`);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  truth = new pg.Client({ connectionString: database.adminUrl, types: { getTypeParser: () => String } });
  await truth.connect();
  for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) await truth.query(`SET ${name} = '${value}'`);
});
afterAll(async () => {
  await truth.end();
  await pool.end();
  await database.drop();
});

interface Made {
  readonly expression: Expression;
  readonly params: readonly LiftedParam[];
}

async function make(text: string, paramTypes: readonly string[] = []): Promise<Made> {
  const sql = `SELECT ${text} AS x FROM item`;
  const analysis = await analyse(pool, { sql, paramTypes, schemas: ['public'] });
  if (analysis.kind !== 'analysed' || analysis.query.body.kind !== 'select')
    throw new Error(JSON.stringify(analysis));
  const { facts, query } = analysis;
  const lifted = new Lifted(facts);
  const [target] = query.body.kind === 'select' ? query.body.targets : [];
  if (target === undefined) throw new Error('no target');
  const expression = toExpression(target.expression, {
    facts,
    lifted,
    atHand: (scalar) =>
      scalar.kind === 'column' && scalar.column > 0 ? { op: 'column', column: scalar.column - 1 } : undefined,
  });
  return { expression, params: lifted.params };
}

test.each([
  'n + 1',
  'big * 2',
  'n % 2 = 0',
  'num * 1.5',
  'num / 3',
  '-num',
  'f * 2',
  'id::numeric',
  'num::text',
  'id::text',
  'big::int8::text',
  "t || '!'",
  'upper(c)',
  'ROW(id, t, num, j, ARRAY[t])',
  'to_json(ROW(id, t, tz, ROW(b, j)))',
  'row_to_json((id, arr))',
  "jsonb_build_object('row', ROW(num, f, iv))",
  'length(t)',
  "t LIKE 'A%'",
  "t ILIKE '%B%'",
  "c < 'b'",
  'c COLLATE "C" >= \'B\'',
  "t = 'Abc'",
  "v = 'x'",
  'v || c',
  'b',
  'NOT b',
  'b AND n > 1',
  'b OR n > 1',
  'b IS NOT TRUE',
  'b IS UNKNOWN',
  '(n = 5) IS NOT FALSE',
  'n IS NULL',
  't IS NOT NULL',
  '(n, t) IS NULL',
  '(id, id) IS NOT NULL',
  'n IS DISTINCT FROM 5',
  'n IS NOT DISTINCT FROM NULL',
  'nullif(id, 2)',
  'coalesce(n, 0)',
  "coalesce(t, c, 'none')",
  'greatest(n, 3)',
  'least(id, big)',
  "greatest(c, 'c')",
  "CASE WHEN b THEN 'yes' WHEN NOT b THEN 'no' ELSE '?' END",
  "CASE m WHEN 'ok' THEN 1 WHEN 'sad' THEN 2 END",
  'CASE n WHEN 5 THEN t END',
  'id IN (1, 3)',
  'n NOT IN (5, NULL)',
  'id = ANY (arr)',
  'id <> ALL (arr)',
  "c IN ('b', 'zz')",
  'big IN (-1, 9007199254740993)',
  'num IN (1.5, 0)',
  'n BETWEEN 2 AND 6',
  "d > '2024-01-01'",
  'd + 1',
  "ts < '2024-01-01'",
  "tz > '2024-02-29 12:00:00+00'",
  "tz + '1 day'::interval",
  'ts + iv',
  "d - '2024-01-01'::date",
  "date_trunc('month', ts)",
  'extract(year FROM ts)',
  "u = '00000000-0000-0000-0000-000000000001'",
  "j -> 'a'",
  "j ->> 'a'",
  'j @> \'{"a": 1}\'',
  "j = 'null'",
  "j #>> '{b,0}'",
  'arr[1]',
  "j['a']",
  'array_length(arr, 1)',
  'arr || 9',
  "m > 'sad'",
  "m = 'ok'",
  'm::text',
  "by = '\\x01'",
  'ARRAY[id, n]',
  'ARRAY[t, c]',
  "n::text || ':' || id",
  'round(num, 1)',
  'abs(big)',
  'num > 1 AND f < 1',
  't::varchar(2)',
  'num::int4',
  'n = 5.0',
  'f = 0',
  "f = 'NaN'",
  'concat(id, t, NULL, b)',
])('%s', async (text) => {
  const { expression, params } = await make(text);
  const binding = params.map((param) => (param.kind === 'constant' ? param.value : null));
  const evaluate = compileExpression(expression, ALL_PIECES);
  const list = COLUMNS.map((name) => `"${name}"`).join(', ');
  const base = await truth.query<(string | null)[]>({
    text: `SELECT ${list} FROM item ORDER BY id`,
    rowMode: 'array',
  });
  for (const row of base.rows) {
    const sql = `SELECT ${text} FROM item WHERE id = ${row[0] ?? ''}`;
    const right = await truth.query<(string | null)[]>({ text: sql, rowMode: 'array' }).then(
      ({ rows }) => rows[0]?.[0] ?? null,
      (error: unknown) => ({ sqlstate: (error as pg.DatabaseError).code }),
    );
    expect([row[0], answer(() => evaluate(row, binding))]).toEqual([row[0], right]);
  }
});

function answer(evaluate: () => string | null): unknown {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof Error && 'sqlstate' in error) return { sqlstate: error.sqlstate };
    throw error;
  }
}

test.each([
  ['own(id)', 'function_of_application'],
  ['random()', 'function_volatile'],
  ['generate_series(1, id)', 'function_of_sets'],
  ['greatest(t COLLATE "und-x-icu", \'x\')', 'collation'],
  ['t COLLATE loose = c', 'collation_nondeterministic'],
  ['id::posint', 'domain'],
  ['item', 'column'],
  ['ctid', 'column'],
  ['(ROW(1, t)).f2', 'row'],
  ['arr[1:2]', 'slice'],
  ['current_date', 'clock'],
  ['(SELECT 1)', 'subquery'],
  ['count(*)', 'aggregate'],
  ['row_number() OVER ()', 'aggregate'],
  ["'5'::money", 'constant'],
  ['id::oid::regclass', 'cast'],
  ["concat(VARIADIC ARRAY['a'])", 'function_variadic'],
])('%s is left to Postgres: %s', async (text, why) => {
  await expect(make(text)).rejects.toSatisfy((error) => error instanceof NotExpressible && error.why === why);
});

test.each([
  ["JSON_OBJECT('a': id)", 'JSON_OBJECT', 16],
  ['t IS JSON', 'IS JSON', 16],
  ["JSON_VALUE('{}'::jsonb, '$.a')", 'JSON_VALUE', 17],
])('%s has a reason in words', async (text, words, since) => {
  if (Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18) < since) return;
  await expect(make(text)).rejects.toSatisfy(
    (error) => error instanceof NotExpressible && error.reason.includes(words),
  );
});

test('two spellings of one expression are one, and the same parameter is lifted once', async () => {
  const [one, other] = [await make('n + 5 > id'), await make('n + $1 > id', ['pg_catalog.int4'])];
  expect(one.expression).toEqual(other.expression);
  expect(one.params).toEqual([
    { kind: 'constant', value: '5', type: { oid: 23, name: '"pg_catalog"."int4"' } },
  ]);
  expect(other.params).toEqual([{ kind: 'param', index: 0, type: { oid: 23, name: '"pg_catalog"."int4"' } }]);
  const twice = await make('$2 + 1 > $1 AND $2 > 1', ['pg_catalog.int4', 'pg_catalog.int4']);
  expect(twice.params.map((param) => (param.kind === 'param' ? `$${param.index + 1}` : param.value))).toEqual(
    ['$2', '1', '$1', '1'],
  );
});
