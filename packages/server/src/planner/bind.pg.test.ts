import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planningBench, type PlanningBench } from '../testing/planning.js';
import { canonicalText } from './canonical.js';
import { DEFAULT_LIMITS } from './limits.js';
import type { ParamType } from './planned.js';

let bench: PlanningBench;
let types: ReadonlyMap<string, ParamType>;

beforeAll(async () => {
  bench = await planningBench(`
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN small AS int CHECK (VALUE < 100);
    CREATE TABLE t (id int PRIMARY KEY, m mood, s small)`);
  const names = [
    'int2',
    'int4',
    'int8',
    'numeric',
    'bool',
    'text',
    'uuid',
    'date',
    'timestamptz',
    'float8',
    'bytea',
  ];
  const all = [...names, 'jsonb', 'int4[]', 'tstzrange', 'date[]', 'interval', 'mood', 'small', 'bpchar'];
  const planned = await bench.plan(`SELECT ${all.map((name, i) => `$${i + 1}::${name}`).join(', ')}`);
  types = new Map(all.map((name, i) => [name, planned.paramTypes[i] as ParamType]));
});
afterAll(() => bench.end());

function bind(type: string, value: string | null): Promise<string | null | undefined> {
  return bench.planner.bind([types.get(type) as ParamType], [value]).then(([text]) => text);
}

test.each([
  ['int4', ' 007 ', '7'],
  ['int4', '-0', '0'],
  ['int8', '9223372036854775807', '9223372036854775807'],
  ['numeric', '1.50', '1.50'],
  ['numeric', '-0.0', '0.0'],
  ['numeric', '1e3', '1000'],
  ['bool', 'yes', 't'],
  ['bool', 'false', 'f'],
  ['uuid', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['date', '2020-1-2', '2020-01-02'],
  ['timestamptz', '2020-01-01T02:00+02', '2020-01-01 00:00:00+00'],
  ['float8', '1.0', '1'],
  ['bytea', 'a', '\\x61'],
  ['jsonb', '{"b":1, "a":[1.0]}', '{"a": [1.0], "b": 1}'],
  ['int4[]', '{ 1, NULL,2}', '{1,NULL,2}'],
  ['interval', '90 min', '01:30:00'],
  ['mood', 'ok', 'ok'],
  ['small', '07', '7'],
  ['text', "' \\ é 🚰", "' \\ é 🚰"],
  ['text', null, null],
])('%s %s is %s', async (type, value, text) => {
  expect(await bind(type, value)).toBe(text);
});

test.each([
  ['int4', '3000000000'],
  ['int4', 'x'],
  ['date', '2020-02-30'],
  ['uuid', 'no'],
  ['mood', 'glad'],
  ['small', '200'],
  ['text', 'a\0b'],
  ['text', 'a\ud800'],
  ['timestamptz', 'now'],
  ['date', ' Today '],
  ['date[]', '{tomorrow}'],
  ['tstzrange', '[yesterday,now)'],
  ['text', 'x'.repeat(DEFAULT_LIMITS.paramBytesMax + 1)],
])('%s does not take %s', async (type, value) => {
  const failure: { code?: string; detail?: string } = await bind(type, value).then(
    () => ({}),
    (error: object) => error,
  );
  expect(failure.code).toBe('parameter_invalid');
  expect(failure.detail).toMatch(/^\$1 /);
  if (value.length > 3) expect(failure.detail).not.toContain(value.trim());
});

test('names the parameter that is wrong among those that need Postgres', async () => {
  const some = ['interval', 'jsonb', 'interval'].map((name) => types.get(name) as ParamType);
  await expect(bench.planner.bind(some, ['1 h', '{', '2 h'])).rejects.toMatchObject({
    code: 'parameter_invalid',
    detail: expect.stringMatching(/^\$2 is to be jsonb/) as string,
  });
  expect(await bench.planner.bind(some, ['1 h', '{}', null])).toEqual(['01:00:00', '{}', null]);
  await expect(bench.planner.bind(some, ['1 h'])).rejects.toMatchObject({ code: 'parameter_count' });
});

test('a text that is taken for canonical is what Postgres prints', async () => {
  const value = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String),
    fc.stringMatching(/^-?\d{1,6}(\.\d{0,4})?$/),
    fc.constantFrom('t', 'f', 'true', 'false', '0', '-0', '0.0', '-1.50', '00'),
    fc.uuid(),
    fc.uuid().map((text) => text.toUpperCase()),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10)),
    fc.stringMatching(/^\d{4}-\d\d-\d\d$/),
    fc.constantFrom('sad', 'ok', 'Sad'),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...types.keys()), value, async (name, text) => {
      const type = types.get(name) as ParamType;
      const canonical = canonicalText(bench.registry, type.oid, text);
      if (canonical === undefined) return;
      const { rows } = await bench.run(`SELECT $1::${type.name}`, [text]);
      expect(canonical).toBe(rows[0]?.[0]);
    }),
    { numRuns: 800 },
  );
});
