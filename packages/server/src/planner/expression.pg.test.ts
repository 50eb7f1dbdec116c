import { FUNCTIONS } from '@sluice/core/expression/all';
import type { PgFunction } from '@sluice/core/expression/registry';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LABELS, THING_FIELDS } from '../testing/functions/cases.js';
import { Judge, type Signature } from '../testing/functions/judge.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';

// P1 for scalar functions: what the engine computes is what Postgres computes, value by value and error by error.
// `SLUICE_TEST_POSTGRES=15 npx vitest run …` asks another major; `SLUICE_TEST_SEED` another sample,
// `SLUICE_TEST_CALLS` a larger one, `SLUICE_TEST_FUNCTION` the functions whose name holds it.

const SEED = Number(process.env['SLUICE_TEST_SEED'] ?? 1);
const CALLS_MAX = Number(process.env['SLUICE_TEST_CALLS'] ?? 250);
const ONLY = process.env['SLUICE_TEST_FUNCTION'];
const SETTINGS = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
  SET extra_float_digits = 1; SET bytea_output = 'hex'`;

let database: TestDatabase;
let client: pg.Client;
let signatures: ReadonlyMap<string, readonly Signature[]>;

beforeAll(async () => {
  const labels = LABELS.map((label) => `'${label}'`).join(', ');
  database = await sharedDatabase(
    `CREATE TYPE mood AS ENUM (${labels}); CREATE TYPE thing AS (${THING_FIELDS})`,
  );
  client = new pg.Client({
    connectionString: database.adminUrl,
    types: { getTypeParser: () => (text: string) => text },
  });
  await client.connect();
  await client.query(SETTINGS);
  signatures = await readSignatures();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** pg_proc by the names that plans use: the C function, or the signature of a function in SQL. */
async function readSignatures(): Promise<Map<string, Signature[]>> {
  const { rows } = await client.query<
    Record<'fn' | 'name' | 'args' | 'strict' | 'volatility' | 'result', string>
  >(
    `SELECT CASE WHEN l.lanname = 'sql' THEN format('%s(%s)', p.proname, array_to_string(a.types, ',')) ELSE p.prosrc END AS fn,
            p.proname AS name, array_to_string(a.types, ';') AS args, p.proisstrict AS strict,
            p.provolatile AS volatility, t.typname AS result
     FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_type t ON t.oid = p.prorettype,
     LATERAL (SELECT ARRAY(SELECT format_type(o, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u(o, n) ORDER BY n)) a(types)
     WHERE p.pronamespace = 'pg_catalog'::regnamespace AND l.lanname IN ('internal', 'sql')
     ORDER BY p.oid`,
  );
  const result = new Map<string, Signature[]>();
  for (const row of rows) {
    const signature = {
      ...row,
      args: row.args === '' ? [] : row.args.split(';'),
      strict: row.strict === 't',
    };
    result.set(row.fn, [...(result.get(row.fn) ?? []), signature]);
  }
  return result;
}

/** Not in pg_proc as functions of these arguments: reached by subscripts. */
const SUBSCRIPTS = new Set(['array_subscript_handler', 'jsonb_subscript_handler']);

/** Stable in some majors, immutable in others. */
const STABLE_SOMEWHERE = new Set(['interval_out', 'timestamptz_trunc_zone']);

test('every function is in the catalog, as strict and as little volatile as it is here', () => {
  const wrong = Object.entries(FUNCTIONS).flatMap(([fn, entry]) => describe(fn, entry));
  expect(wrong).toEqual([]);
});

function describe(fn: string, entry: PgFunction): string[] {
  if (SUBSCRIPTS.has(fn)) return [];
  const known = signatures.get(fn);
  if (!known) return [`${fn} is not in pg_proc`];
  const volatility = known.some((signature) => signature.volatility !== 'i') ? 'stable' : 'immutable';
  const problems: string[] = [];
  if (known.some((signature) => signature.volatility === 'v')) problems.push(`${fn} is volatile`);
  if ((volatility === 'stable') !== entry.stable && !(entry.stable && STABLE_SOMEWHERE.has(fn))) {
    problems.push(`${fn} is ${volatility}`);
  }
  if (known.some((signature) => signature.strict !== entry.strict))
    problems.push(`${fn} is otherwise strict`);
  return problems;
}

test('every function agrees with Postgres on values at the edges of its types', async () => {
  const judge = new Judge(client, SEED, CALLS_MAX);
  const disagreements: string[] = [];
  const unjudged: string[] = [];
  let compared = 0;
  let errors = 0;
  let left = 0;
  for (const fn of Object.keys(FUNCTIONS)) {
    if (ONLY !== undefined && !fn.includes(ONLY)) continue;
    const verdict = await judge.judge(fn, signatures.get(fn) ?? []);
    disagreements.push(...verdict.disagreements.slice(0, 5));
    if (verdict.compared < 5 && !/enum|bool/.test(fn)) unjudged.push(`${fn}: ${verdict.compared}`);
    compared += verdict.compared;
    errors += verdict.errors;
    left += verdict.left;
  }
  console.log(`${compared} values and ${errors} errors compared, ${left} left to Postgres`);
  expect(disagreements).toEqual([]);
  expect(unjudged).toEqual([]);
});
