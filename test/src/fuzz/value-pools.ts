import type { Random } from '../kit/random.js';

/** A type of the random schemas, with few values, so that joins meet, and among them those that break engines. */
export interface PoolType {
  /** As in `::name`. */
  readonly name: string;
  /** As a column has it. */
  readonly column: string;
  /** Texts of values. */
  readonly values: readonly string[];
  /** Has `=` and `<`. */
  readonly ordered: boolean;
  /** Equal values have equal texts: which of them a query shows is not left open. */
  readonly oneText: boolean;
}

function type(
  name: string,
  values: readonly string[],
  options: { readonly ordered?: boolean; readonly oneText?: boolean; readonly column?: string } = {},
): PoolType {
  const { ordered = true, oneText = true, column = name } = options;
  return { name, column, values, ordered, oneText };
}

export const TYPES = {
  bool: type('bool', ['t', 'f']),
  int2: type('int2', ['0', '1', '2', '-1', '32767']),
  int4: type('int4', ['0', '1', '2', '3', '-1', '2147483647']),
  int8: type('int8', ['0', '1', '2', '-7', '9007199254740993', '-9223372036854775808']),
  numeric: type('numeric', ['0', '1', '1.0', '1.00', '-2.5', '0.1', '12345678901234567890.5', 'NaN'], {
    oneText: false,
  }),
  money2: type('numeric', ['0.00', '1.00', '1.50', '-2.25', '99.99'], {
    oneText: false,
    column: 'numeric(10,2)',
  }),
  float8: type('float8', ['0', '-0', '1', '0.1', '0.3', '-1.5', '1e+300', 'NaN', 'Infinity', '-Infinity'], {
    oneText: false,
  }),
  float4: type('float4', ['0', '-0', '1', '0.1', '1e+10', 'NaN', '-Infinity'], { oneText: false }),
  text: type('text', [
    '',
    'a',
    'A',
    'b',
    'ab',
    'a ',
    ' a',
    'é',
    'e\u0301',
    '😀',
    'ß',
    '%',
    '_',
    '\\',
    "it's",
    'null',
    '__proto__',
    '10',
    '9',
  ]),
  varchar: type('varchar', ['', 'a', 'B', 'a b', '𝒳', 'zz'], { column: 'varchar(5)' }),
  bpchar: type('bpchar', ['', 'a', 'b', 'a b', 'Z'], { oneText: false, column: 'char(4)' }),
  uuid: type('uuid', [
    '00000000-0000-0000-0000-000000000000',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ]),
  bytea: type('bytea', ['\\x', '\\x00', '\\xff', '\\x6162']),
  date: type('date', ['2024-02-29', '2024-03-01', '1999-12-31', 'infinity', '-infinity', '0044-03-15 BC']),
  timestamp: type('timestamp', [
    '2024-02-29 12:00:00',
    '2024-02-29 12:00:00.000001',
    '1999-12-31 23:59:59',
    'infinity',
    '0044-03-15 10:00:00 BC',
  ]),
  timestamptz: type('timestamptz', [
    '2024-02-29 12:00:00+00',
    '2024-02-29 12:00:00.5+00',
    '2000-01-01 00:00:00+00',
    '-infinity',
    '12024-01-01 00:00:00+00',
  ]),
  time: type('time', ['00:00:00', '12:30:00', '23:59:59.999999', '24:00:00']),
  timetz: type('timetz', ['00:00:00+00', '12:30:00+00', '12:30:00+02', '10:30:00-02'], { oneText: true }),
  interval: type(
    'interval',
    ['00:00:00', '1 day', '24:00:00', '1 mon', '30 days', '-1 days +02:03:04', '1 year 2 mons'],
    { oneText: false },
  ),
  jsonb: type(
    'jsonb',
    [
      'null',
      '{}',
      '[]',
      '{"a": 1}',
      '{"a": 1.0}',
      '{"a": "x", "b": [1, 2, null]}',
      '[1, "two", 3.50]',
      '"text"',
      'true',
      '1',
      '{"__proto__": 1}',
    ],
    { oneText: false },
  ),
  json: type('json', ['null', '{}', '{"a":1}', '{"a":1, "a":2}', '[1e2, 1.0]', '"text"'], { ordered: false }),
  inet: type('inet', ['10.0.0.1', '10.0.0.0/8', '192.168.0.1/24', '::1', '10.0.0.1/8']),
  mood: type('mood', ['sad', 'ok', 'happy']),
  ints: type('int4[]', ['{}', '{1}', '{1,2}', '{2,NULL}', '{{1,2},{3,4}}']),
  texts: type('text[]', ['{}', '{a}', '{a,b}', '{NULL,""}', '{"a b",é}']),
  int4range: type('int4range', ['empty', '[1,3)', '[2,)', '(,2)', '[1,2)']),
  numrange: type('numrange', ['empty', '[1,2]', '[1.0,2]', '(0,)'], { oneText: false }),
} as const satisfies Readonly<Record<string, PoolType>>;

export type TypeName = keyof typeof TYPES;

/** Types that few queries are about, and of which the planner does not read constants or keys. */
const RARE: readonly string[] = ['inet', 'int4range', 'numrange', 'timetz', 'json', 'interval', 'float4'];

/** To be picked from: those that are common more than once. */
export const TYPE_NAMES: readonly TypeName[] = (Object.keys(TYPES) as TypeName[]).flatMap((name) =>
  RARE.includes(name) ? [name] : [name, name, name, name],
);

/** Of the first values of each type there are more than of the others: so that what is asked for is often there. */
const COMMON_COUNT = 4;

/** One of its values. */
export function valueOf(random: Random, name: TypeName): string {
  const { values } = poolType(name);
  return random.pick(random.chance(0.6) ? values.slice(0, COMMON_COUNT) : values);
}

export function poolType(name: TypeName): PoolType {
  return TYPES[name];
}

export function quoted(value: string): string {
  return value.includes('\\')
    ? `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${value.replaceAll("'", "''")}'`;
}

/** `'value'::type`, or NULL of the type. */
export function literal(name: TypeName, value: string | null): string {
  return `${value === null ? 'NULL' : quoted(value)}::${TYPES[name].name}`;
}
