import { hasUsualCase } from '@sluice/core/expression/ascii-case';
import { ALL_PIECES } from '@sluice/core/chunks/all';
import { compileExpression } from '@sluice/core/expression/compile';
import { NotReproduced, PgError } from '@sluice/core/expression/errors';
import { comparator, equalityKey } from '@sluice/core/engine/compare';
import type { ValueType } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../testing/postgres.js';
import { COLUMNS, RandomExpressions } from '../testing/functions/random-expressions.js';
import { RandomValues } from '../testing/functions/random-values.js';
import { VALUES } from '../testing/functions/values.js';
import { sharedDatabase } from '../testing/shared.js';

// P1 for what stands around functions: NULL logic, what is evaluated and what is not, and the orders of the types.

const SEED = Number(process.env['SLUICE_TEST_SEED'] ?? 1);
const EXPRESSIONS = Number(process.env['SLUICE_TEST_EXPRESSIONS'] ?? 600);
const ROWS = 40;

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await sharedDatabase('');
  client = new pg.Client({
    connectionString: database.adminUrl,
    types: { getTypeParser: () => (text: string) => text },
  });
  await client.connect();
  await client.query(`SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres'`);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

function rowsOf(random: RandomValues): PgText[][] {
  const pick = (values: readonly PgText[]): PgText => values[random.below(values.length)] ?? null;
  const ints = ['0', '1', '2', '-1', '2147483647', null];
  const texts = ['', 'a', 'ab', '%', 'a%', '_', null];
  return Array.from({ length: ROWS }, () => [
    pick(ints),
    pick(ints),
    pick(texts),
    pick(texts),
    pick(['t', 'f', null]),
    pick(['{}', '{0,1}', '{1,NULL}', '{NULL}', '{2}', null]),
  ]);
}

test('random expressions are what they are in Postgres, with their nulls and errors', async () => {
  const random = new RandomValues(SEED);
  const make = new RandomExpressions(random);
  const rows = rowsOf(random);
  const names = COLUMNS.map((column) => column.split(' ')[0]).join(', ');
  await client.query(`CREATE TABLE r (n int, ${COLUMNS.join(', ')})`);
  for (const [n, row] of rows.entries()) {
    await client.query('INSERT INTO r VALUES ($1, $2, $3, $4, $5, $6, $7)', [n, ...row]);
  }
  const wrong: string[] = [];
  let compared = 0;
  let errors = 0;
  for (let index = 0; index < EXPRESSIONS; index++) {
    const { expression, sql } = make.value(
      (['bool', 'int', 'text', 'array'] as const)[index % 4] ?? 'bool',
      4,
    );
    const evaluate = compileExpression(expression, ALL_PIECES);
    const mine = rows.map((row) => attempt(() => evaluate(row, [])));
    const good = mine.flatMap((outcome, n) => (outcome instanceof PgError ? [] : [n]));
    const theirs = await ask(
      `SELECT ${sql} FROM (SELECT n, ${names} FROM r WHERE n = ANY($1) OFFSET 0) q ORDER BY n`,
      good,
    );
    const same = !(theirs instanceof Error) && good.every((n, at) => theirs[at] === mine[n]);
    if (!same) wrong.push(sql);
    compared += good.length;
    const bad = mine.findIndex((outcome) => outcome instanceof PgError);
    if (bad < 0) continue;
    errors++;
    const raised = await ask(`SELECT ${sql} FROM r WHERE n = ANY($1)`, [bad]);
    const expected = mine[bad];
    const agreed =
      raised instanceof pg.DatabaseError && expected instanceof PgError && raised.code === expected.sqlstate;
    if (!agreed) wrong.push(`${sql} raises otherwise`);
  }
  console.log(`${compared} values and ${errors} errors compared`);
  expect(wrong).toEqual([]);
  expect(errors).toBeGreaterThan(EXPRESSIONS / 20);
});

function attempt(evaluate: () => PgText): PgText | PgError {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof PgError) return error;
    throw error;
  }
}

async function ask(text: string, numbers: readonly number[]): Promise<PgText[] | Error> {
  try {
    const { rows } = await client.query<PgText[]>({ text, values: [numbers], rowMode: 'array' });
    return rows.map(([value]) => value ?? null);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

test('letters change their case as usual under every collation that is said to', async () => {
  const { rows } = await client.query<string[]>({
    text: `SELECT collname, coalesce(to_jsonb(c)->>'colllocale', collctype) FROM pg_collation c
      WHERE collprovider <> 'd' AND collencoding IN (-1, 6)`,
    rowMode: 'array',
  });
  const text: ValueType = { kind: 'text', ordered: false };
  const cased = (fn: 'lower' | 'upper', value: string): PgText | undefined => {
    const call = { op: 'call', fn, args: [{ op: 'column', column: 0 }], types: [text] } as const;
    try {
      return compileExpression(call, ALL_PIECES)([value], []);
    } catch {
      return undefined; // for Postgres
    }
  };
  /** All that is said of; of long scripts every 97th character. */
  const known = (fn: 'lower' | 'upper'): string => {
    let all = '';
    for (let code = 1; code < 0x32000; code += code < 0x3000 ? 1 : 97) {
      const character = code >= 0xd800 && code < 0xe000 ? '' : String.fromCodePoint(code);
      if (cased(fn, character) !== undefined) all += `x${character}`;
    }
    return all;
  };
  const [toLower, toUpper] = [known('lower'), known('upper')];
  const wanted = [cased('lower', toLower), cased('upper', toUpper)];
  expect([toLower.length > 8_000, toUpper.length > 8_000]).toEqual([true, true]);
  const unusual: string[] = [];
  for (const [name = '', locale = ''] of rows) {
    const { rows: told } = await client.query<string[]>({
      text: `SELECT lower($1::text COLLATE "${name}"), upper($2::text COLLATE "${name}")`,
      values: [toLower, toUpper],
      rowMode: 'array',
    });
    if (told[0]?.[0] !== wanted[0] || told[0]?.[1] !== wanted[1]) unusual.push(locale);
  }
  expect(rows.length).toBeGreaterThan(3);
  expect(unusual.filter(hasUsualCase)).toEqual([]);
});

const int: ValueType = { kind: 'int' };
const TYPES: readonly (readonly [name: string, type: ValueType])[] = [
  ['interval', { kind: 'interval' }],
  ['jsonb', { kind: 'jsonb' }],
  ['inet', { kind: 'inet' }],
  ['bpchar', { kind: 'char', ordered: true }],
  ['time without time zone', { kind: 'time' }],
  ['time with time zone', { kind: 'timetz' }],
  ['integer[]', { kind: 'array', element: int }],
  ['numeric[]', { kind: 'array', element: { kind: 'numeric' } }],
  ['text[]', { kind: 'array', element: { kind: 'text', ordered: true } }],
  ['jsonb[]', { kind: 'array', element: { kind: 'jsonb' } }],
  ['double precision[]', { kind: 'array', element: { kind: 'float' } }],
  ['int4range', { kind: 'range', element: int }],
  ['int4multirange', { kind: 'multirange', element: int }],
  ['nummultirange', { kind: 'multirange', element: { kind: 'numeric' } }],
  ['macaddr', { kind: 'mac' }],
  ['bit varying', { kind: 'bits' }],
  ['numrange', { kind: 'range', element: { kind: 'numeric' } }],
  ['tstzrange', { kind: 'range', element: { kind: 'timestamptz' } }],
];

const VALUES_OF: Readonly<Record<string, string>> = { bpchar: 'character', 'bit varying': 'bits' };

test.for(TYPES)('%s: its order and its keys of equality are those of Postgres', async ([name, type]) => {
  const { rows } = await client.query<string[]>({
    text: `WITH v AS (SELECT v::${name} AS v FROM unnest($1::text[]) AS u(v))
           SELECT a.v, b.v, (a.v > b.v)::int - (a.v < b.v)::int, a.v = b.v FROM v a, v b`,
    values: [[...(VALUES[VALUES_OF[name] ?? name] ?? []), ...new RandomValues(SEED).valuesOf(name)]],
    rowMode: 'array',
  });
  const compare = comparator(type, ALL_PIECES.types);
  const keyOf = equalityKey(type, ALL_PIECES.types);
  const wrong = rows.filter(([a = '', b = '', order, equal]) => {
    const mine = attemptOrder(() => Math.sign(compare(a, b)));
    const sameOrder = mine === null || mine === Number(order);
    return !sameOrder || (keyOf(a) === keyOf(b)) !== (equal === 't');
  });
  expect(wrong).toEqual([]);
  expect(rows.length).toBeGreaterThan(20);
});

/** Null where the order is left to Postgres: strings in jsonb. */
function attemptOrder(compare: () => number): number | null {
  try {
    return compare();
  } catch (error) {
    if (error instanceof NotReproduced) return null;
    throw error;
  }
}
