import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OUTPUT_SETTINGS } from '../source/database.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { analyse } from './analyse.js';

// Every constant, decoded from the bytes that Postgres holds, is the text that Postgres prints for it.

let database: TestDatabase;
let pool: pg.Pool;
let truth: pg.Client;

beforeAll(async () => {
  database = await sharedDatabase(
    `CREATE TYPE mood AS ENUM ('sad', 'B "q"', 'NULL'); CREATE TYPE notes AS RANGE (subtype = text, multirange_type_name = multinotes); CREATE TABLE t (id int PRIMARY KEY)`,
  );
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

/** Repeatable, and far enough from any pattern. */
function randomBytes(count: number): readonly DataView[] {
  let state = 88_675_123;
  return Array.from({ length: count }, () => {
    const view = new DataView(new ArrayBuffer(8));
    for (const at of [0, 4]) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      view.setInt32(at, state);
    }
    return view;
  });
}

const doubles = [
  ...Array.from({ length: 2098 }, (_, at) => String(2 ** (at - 1074))),
  ...randomBytes(600).map((view) => String(view.getFloat64(0))),
  '1e23',
  '9007199254740993',
  '-0',
  'NaN',
  'Infinity',
  '-Infinity',
  '0.1',
  '123456789012345',
  '1234567890123456',
  '1e15',
  '1e14',
  '0.0001',
  '0.00001',
  '5e-324',
  '1.7976931348623157e308',
  '2.2250738585072014e-308',
  '-1.5',
];
const floats = [
  ...Array.from({ length: 277 }, (_, at) => String(2 ** (at - 149))),
  ...randomBytes(600).map((view) => String(view.getFloat32(0))),
  '0.1',
  '1e5',
  '1e6',
  '123456',
  '1234567',
  '16777217',
  '3.4028235e38',
  '1e-45',
  '-0',
  'NaN',
  'Infinity',
  '-Infinity',
];
const numerics = [
  '0',
  '0.00',
  '-0',
  '1',
  '1.0',
  '1.00',
  '-1.50',
  '10000',
  '9999',
  '0.0001',
  '0.00001',
  '100000000',
  '1e-20',
  '1e40',
  'NaN',
  'Infinity',
  '-Infinity',
  '99999999999999999999.5',
  '12345678901234567890.123456789012345678901234567890',
  '1e131071',
  '1e-16383',
  '0e-16383',
  '-1e-63',
  '1e-64',
  '1e-65',
  '-0.000000001',
  '1234.5600',
  '1e252',
  '1e256',
  '1e260',
  `1.${'7'.repeat(3000)}`,
  ...randomBytes(100).map((view) => `${view.getInt32(0)}.${view.getUint32(4)}`),
];
const times = ['00:00', '24:00:00', '12:34:56', '23:59:59.999999', '00:00:00.000001', '01:02:03.100'];
const days = [
  '2000-01-01',
  '1999-12-31',
  '1970-01-01',
  '2024-02-29',
  '1900-02-28',
  '1900-03-01',
  '0001-01-01',
  '0001-01-01 BC',
  '0044-03-15 BC',
  '4713-01-01 BC',
  '4000-02-29 BC',
  '0401-02-28 BC',
  '9999-12-31',
  '10000-01-01',
  '99999-06-30',
  '294276-12-31',
  '1600-02-29',
  '1600-12-31',
  '1601-01-01',
  '2100-02-28',
  '2100-03-01',
  '2400-02-29',
  ...Array.from(
    { length: 400 },
    (_, at) =>
      `${String(1 + at * 23).padStart(4, '0')}-${String(1 + (at % 12)).padStart(2, '0')}-${String(1 + (at % 28)).padStart(2, '0')}`,
  ),
];
const texts = [
  '',
  ' ',
  'a',
  'a  ',
  "it''s",
  '\\',
  '"q"',
  '{}',
  'NULL',
  'null',
  'ä',
  'e\u0301',
  '😀',
  '\u{10ffff}',
  '\ufeffx',
  'İ',
  'x\ty\nz',
  'a,b',
  'x'.repeat(120_000),
];
const documents = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1.50',
  '1e400',
  '12345678901234567890',
  '""',
  '"a"',
  '{}',
  '[]',
  '[[]]',
  '[{}]',
  '{"a": {}}',
  '{"b": 1, "a": 2, "a": 3}',
  '{"aa": 1, "b": [1, "two", 3.50, null, true, {"c": []}]}',
  '"\\u0001\\u001f\\b\\f\\n\\r\\t\\"\\\\/"',
  '"\\u007f😀e\u0301"',
  '[1, "a", 22, "bb", 333, "ccc", 4.4, "dddd", {"e": 1}]',
  `[${Array.from({ length: 200 }, (_, at) => (at % 3 === 0 ? `"${'x'.repeat(at)}"` : at % 3 === 1 ? `${at}.5` : `{"k${at}": [${at}]}`)).join(',')}]`,
];

const CASES: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['bool', ['t', 'f', 'true', 'no']],
  ['int2', ['0', '-1', '32767', '-32768']],
  ['int4', ['0', '-1', '2147483647', '-2147483648']],
  ['int8', ['0', '-1', '9223372036854775807', '-9223372036854775808', '9007199254740993']],
  ['oid', ['0', '4294967295', '16384']],
  ['float8', doubles],
  ['float4', floats],
  ['numeric', numerics],
  ['text', texts],
  ['varchar', texts],
  ['bpchar', ['', 'a', 'a   ']],
  ['name', ['', 'pg_class', 'ä😀']],
  ['json', documents],
  ['jsonb', documents],
  ['date', [...days, 'infinity', '-infinity', '5874897-12-31']],
  ['time', times],
  ['timetz', times.flatMap((time) => [`${time}+00`, `${time}-03:30`, `${time}+05:45:01`])],
  [
    'timestamp',
    [
      ...days.map((day) => day.replace(/^(\S+)/, '$1 12:34:56.789')),
      'infinity',
      '-infinity',
      '1999-12-31 23:59:59.999999',
      '4714-11-24 00:00:00 BC',
    ],
  ],
  [
    'timestamptz',
    [
      ...days.map((day) => day.replace(/^(\S+)/, '$1 00:00:00.000001+00')),
      'infinity',
      '-infinity',
      '2024-03-10 02:30:00-05',
    ],
  ],
  [
    'interval',
    [
      '0',
      '1 year',
      '-1 year',
      '1 mon',
      '13 mons',
      '-13 mons',
      '1 day',
      '-1 day',
      '1 year -1 day',
      '-1 year 1 day 01:00',
      '-1 day 01:00',
      '1 day -01:00',
      '1 mon -1 day 00:00:00.000001',
      '-00:00:00.5',
      '9999:59:59.999999',
      '-178000000 years',
      '1 year 2 mons 3 days 04:05:06.7',
    ],
  ],
  [
    'uuid',
    [
      '00000000-0000-0000-0000-000000000001',
      'FFFFFFFF-ffff-ffff-ffff-ffffffffffff',
      '12345678-9abc-def0-1234-56789abcdef0',
    ],
  ],
  [
    'inet',
    [
      '0.0.0.0',
      '10.1.2.3/8',
      '255.255.255.255/32',
      '10.0.0.0/0',
      '::',
      '::1',
      '::2',
      '::1/64',
      '2001:db8::1',
      '2001:db8:0:1::/48',
      '1:0:0:2:0:0:0:3',
      '1:2:3:4:5:6:7:8/127',
      '0:2:3:4:5:6:7:8',
      '1:2:3:4:5:6:7:0',
      '1:0:3:4:5:6:0:0',
      '::ffff:1.2.3.4',
      '::1.2.3.4',
      '::ffff:0:0/96',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ],
  ],
  ['point', ['(1,2)', '(-0.1,NaN)', '(Infinity,1e-300)']],
  ['box', ['(1,2),(3,4)', '(0.1,-0.2),(-5,1e10)']],
  ['circle', ['<(1,2),3>', '<(0.1,-0.2),0>']],
  ['macaddr', ['08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff']],
  ['macaddr8', ['08:00:2b:ff:fe:01:02:03', '00:00:00:00:00:00:00:01']],
  ['varbit', ['', '1', '01', '00000000', '101010101', '1'.repeat(65)]],
  ['cidr', ['10.0.0.0/8', '1.2.3.4', '::/0', '2001:db8::/32', '::1']],
  ['int4range', ['empty', '[1,5]', '(1,5)', '[1,)', '(,5]', '(,)', '[-2147483648,7)']],
  ['int8range', ['[1,9223372036854775806]', '[1,)', '(,1)', 'empty']],
  [
    'numrange',
    ['[1.50,2.0]', '(1.0,)', '(,-0.001)', '[0,1e40)', 'empty', `[1,2.${'7'.repeat(600)}]`, '[NaN,NaN]'],
  ],
  ['daterange', ['[2024-01-01,2024-02-01]', '[2024-01-01,infinity)', '(,)']],
  ['tsrange', ['[2024-01-01 12:00,2024-01-02)', '(,2024-01-02]']],
  ['tstzrange', ['[2024-01-01 12:00+00,2024-01-02 00:00:00.5+00)', '[2024-01-01 00:00+00,)']],
  [
    'notes',
    ['[a,b]', '["a b","c,d"]', '("",x)', '[,"q\\"uote"]', `[A b,${'z'.repeat(300)})`, '(,é]', 'empty'],
  ],
  ['int4multirange', ['{}', '{[1,3),[5,7)}', '{(,1),[5,)}', '{(,)}']],
  ['int8multirange', ['{[1,3),[5,7),[9,)}']],
  ['nummultirange', ['{}', '{[1.50,2.0],(3,4)}', `{[1,2.${'7'.repeat(600)}],[5,6),[7.25,8)}`, '{(,0.001)}']],
  ['datemultirange', ['{[2024-01-01,2024-02-01),[2025-01-01,infinity)}']],
  ['tstzmultirange', ['{[2024-01-01 12:00+00,2024-01-02 00:00:00.5+00),[2025-01-01 00:00+00,)}']],
  ['multinotes', ['{[a,b),["c d",e),[f,)}', `{[A b,${'z'.repeat(300)})}`, '{}']],
  ['int4range[]', ['{"[1,5)",empty,NULL}']],
  ['inet[]', ['{10.0.0.1,::1/64,NULL}']],
  ['bytea', ['\\x', '\\x00', '\\xff00de']],
  ['mood', ['sad', 'B "q"', 'NULL']],
  [
    'int4[]',
    [
      '{}',
      '{1}',
      '{1,NULL,3}',
      '{{1,2},{3,4}}',
      '[0:1]={5,6}',
      '[-1:0][2:2]={{1},{NULL}}',
      `{${Array.from({ length: 40 }, (_, at) => (at % 7 === 0 ? 'NULL' : at)).join(',')}}`,
    ],
  ],
  ['int2[]', ['{1,2,3}', '{1,NULL}']],
  ['bool[]', ['{t,f,NULL}']],
  ['int8[]', ['{1,NULL,9223372036854775807}']],
  ['float8[]', ['{0.1,NaN,-Infinity}']],
  [
    'text[]',
    [
      '{}',
      '{""}',
      '{NULL,"NULL",null,"null"}',
      '{a,"b c","d,e","{f}","\\"g\\"","h\\\\i"}',
      '{ä,😀,"\u00a0"}',
      '{"a\tb"," x",""}',
    ],
  ],
  ['varchar[]', ['{abc,d,"",efghij}']],
  ['numeric[]', ['{1.50,NaN,-1e-20,NULL,12345678901234567890}']],
  ['uuid[]', ['{00000000-0000-0000-0000-000000000001,NULL}']],
  ['jsonb[]', ['{"{\\"a\\": [1, 2.5]}","null",NULL}']],
  ['timestamptz[]', ['{2024-01-01 00:00:00+00,infinity}']],
  ['date[]', ['{2024-01-01,0044-03-15 BC}']],
  ['interval[]', ['{1 day,"1 day 01:00"}']],
  ['bytea[]', ['{"\\\\x00","\\\\x"}']],
  ['name[]', ['{a,bc}']],
  ['mood[]', ['{sad,"B \\"q\\"","NULL",NULL}']],
];

test.each(CASES)('%s', { timeout: 120_000 }, async (type, values) => {
  const usable = await acceptedBy(type, values);
  expect(usable.length).toBeGreaterThanOrEqual(Math.min(values.length, Math.ceil(values.length * 0.95)));
  for (let at = 0; at < usable.length; at += 200) {
    const sql = `SELECT ${usable.slice(at, at + 200).join(', ')}`;
    const { rows } = await truth.query<(string | null)[]>({ text: sql, rowMode: 'array' });
    expect(await decoded(sql)).toEqual(rows[0]);
  }
});

/** Random numbers may be out of range. */
async function acceptedBy(type: string, values: readonly string[]): Promise<readonly string[]> {
  const literals = values.map(
    (value) => `E'${value.replaceAll('\\', '\\\\').replaceAll(/(?<!')'(?!')/g, "''")}'::${type}`,
  );
  const accepted: string[] = [];
  for (const literal of literals)
    await truth.query(`SELECT ${literal}`).then(
      () => accepted.push(literal),
      () => undefined,
    );
  return accepted;
}

async function decoded(sql: string): Promise<readonly (string | null | undefined)[]> {
  const analysis = await analyse(pool, { sql, paramTypes: [], schemas: ['public'] });
  if (analysis.kind !== 'analysed' || analysis.query.body.kind !== 'select')
    throw new Error(JSON.stringify(analysis));
  return analysis.query.body.targets.map(({ expression }) =>
    expression.kind === 'constant' ? expression.value : undefined,
  );
}
