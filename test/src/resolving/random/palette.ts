import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  char,
  cidr,
  customType,
  date,
  doublePrecision,
  inet,
  integer,
  interval,
  json,
  jsonb,
  line,
  macaddr,
  macaddr8,
  numeric,
  pgEnum,
  point,
  real,
  smallint,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';

/** A kind of column: how a schema in code writes it, its type in the database, and values as literals of SQL. */
export interface Kind {
  readonly name: string;
  readonly make: () => object;
  readonly type: string;
  readonly values: readonly string[];
  /** What Drizzle loses of it in a relation, where values pass through JSON: docs/queries.md. */
  readonly loses?: true;
}

export const mood = pgEnum('mood', ['sad', 'ok', 'a "quoted" one']);
const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const label = customType<{ data: string }>({ dataType: () => 'label' });

const TEXTS = [
  `'x'`,
  `''`,
  `'a "b" \\ {c},d'`,
  `'NULL'`,
  `'12.50'`,
  `E'l\\n\\u00e9\\U0001F600'`,
  `'{"a": 1}'`,
];
const TIMES = [
  `'2024-02-29 12:34:56.789123'`,
  `'1969-12-31 23:59:59.999'`,
  `'0199-01-02 03:04:05'`,
  `'2024-03-31 02:30:00'`,
];
const ZONED = TIMES.map((literal) => `${literal.slice(0, -1)}+05:30'`);
const DAYS = [`'2024-02-29'`, `'1899-12-31'`, `'0199-12-31'`];
const JSONS = [
  `'{"b": 1, "a": [1.50, null, {"__proto__": "x"}]}'`,
  `'[]'`,
  `'[[1], "2"]'`,
  `'1e3'`,
  `'true'`,
];
const NUMBERS = ['0', '1.5', '-12.25', '100'];
const list = (type: string, values: readonly string[]): readonly string[] => [
  `ARRAY[${values.join(', ')}]::${type}[]`,
  `ARRAY[]::${type}[]`,
];

/** Every kind of column of drizzle-orm/pg-core that Postgres has without extensions. */
export const KINDS: readonly Kind[] = [
  { name: 'bool', make: () => boolean(), type: 'boolean', values: ['true', 'false'] },
  { name: 'small', make: () => smallint(), type: 'smallint', values: ['-32768', '7'] },
  { name: 'int', make: () => integer(), type: 'integer', values: ['2147483647', '-1', '0'] },
  {
    name: 'bigNumber',
    make: () => bigint({ mode: 'number' }),
    type: 'bigint',
    values: ['9007199254740991', '5'],
  },
  {
    name: 'bigBig',
    make: () => bigint({ mode: 'bigint' }),
    type: 'bigint',
    values: ['7', '-9007199254740991'],
  },
  {
    name: 'bigHuge',
    make: () => bigint({ mode: 'bigint' }),
    type: 'bigint',
    values: ['9223372036854775807'],
    loses: true,
  },
  { name: 'num', make: () => numeric(), type: 'numeric', values: NUMBERS },
  {
    name: 'numScaled',
    make: () => numeric({ precision: 12, scale: 3 }),
    type: 'numeric(12,3)',
    values: [...NUMBERS, '123456789.125'],
  },
  {
    name: 'numLong',
    make: () => numeric(),
    type: 'numeric',
    values: ['123456789.123456789012', `'NaN'`],
    loses: true,
  },
  {
    name: 'numNumber',
    make: () => numeric({ mode: 'number' }),
    type: 'numeric',
    values: [...NUMBERS, `'NaN'`],
  },
  {
    name: 'numBig',
    make: () => numeric({ mode: 'bigint' }),
    type: 'numeric',
    values: ['0', '-12', '9007199254740991'],
  },
  {
    name: 'single',
    make: () => real(),
    type: 'real',
    values: ['0.1', `'NaN'`, `'-Infinity'`, `'-0'`, '1e20'],
  },
  {
    name: 'double',
    make: () => doublePrecision(),
    type: 'double precision',
    values: ['0.1', '1e-300', `'Infinity'`],
  },
  { name: 'text', make: () => text(), type: 'text', values: TEXTS },
  { name: 'varchar', make: () => varchar({ length: 40 }), type: 'varchar(40)', values: TEXTS },
  { name: 'char', make: () => char({ length: 12 }), type: 'char(12)', values: [`'c'`, `''`] },
  { name: 'label', make: () => label(), type: 'label', values: TEXTS },
  { name: 'uuid', make: () => uuid(), type: 'uuid', values: [`'00000000-0000-4000-8000-000000000001'`] },
  { name: 'mood', make: () => mood(), type: 'mood', values: [`'sad'`, `'a "quoted" one'`] },
  { name: 'json', make: () => json(), type: 'json', values: JSONS },
  { name: 'jsonb', make: () => jsonb(), type: 'jsonb', values: JSONS },
  { name: 'day', make: () => date({ mode: 'date' }), type: 'date', values: DAYS },
  {
    name: 'dayText',
    make: () => date({ mode: 'string' }),
    type: 'date',
    values: DAYS,
  },
  { name: 'time', make: () => time(), type: 'time', values: [`'12:34:56.789123'`, `'24:00:00'`] },
  {
    name: 'timeZone',
    make: () => time({ withTimezone: true, precision: 3 }),
    type: 'timetz(3)',
    values: [`'12:34:56.789+02'`],
  },
  { name: 'at', make: () => timestamp(), type: 'timestamp', values: TIMES },
  { name: 'atShort', make: () => timestamp({ precision: 0 }), type: 'timestamp(0)', values: TIMES },
  {
    name: 'atText',
    make: () => timestamp({ mode: 'string' }),
    type: 'timestamp',
    values: TIMES,
  },
  { name: 'atZone', make: () => timestamp({ withTimezone: true }), type: 'timestamptz', values: ZONED },
  {
    name: 'atZoneText',
    make: () => timestamp({ withTimezone: true, mode: 'string', precision: 3 }),
    type: 'timestamptz(3)',
    values: ZONED,
  },
  {
    name: 'interval',
    make: () => interval(),
    type: 'interval',
    values: [`'1 year 2 mons -3 days 04:05:06.5'`, `'0'`],
  },
  { name: 'inet', make: () => inet(), type: 'inet', values: [`'10.0.0.1/8'`, `'::1'`] },
  { name: 'cidr', make: () => cidr(), type: 'cidr', values: [`'10.0.0.0/8'`] },
  { name: 'macaddr', make: () => macaddr(), type: 'macaddr', values: [`'08:00:2b:01:02:03'`] },
  { name: 'macaddr8', make: () => macaddr8(), type: 'macaddr8', values: [`'08:00:2b:01:02:03:04:05'`] },
  { name: 'point', make: () => point(), type: 'point', values: [`'(1.5,-2)'`, `'(1e20,NaN)'`] },
  { name: 'pointObject', make: () => point({ mode: 'xy' }), type: 'point', values: [`'(Infinity,3)'`] },
  { name: 'line', make: () => line(), type: 'line', values: [`'{1,-2,3}'`] },
  { name: 'lineObject', make: () => line({ mode: 'abc' }), type: 'line', values: [`'{1,2,3.5}'`] },
  { name: 'bytes', make: () => bytea(), type: 'bytea', values: [`'\\xdeadbeef'`, `''`], loses: true },
  {
    name: 'ints',
    make: () => integer().array(),
    type: 'integer[]',
    values: list('integer', ['1', '-2', 'NULL']),
  },
  {
    name: 'smalls',
    make: () => smallint().array(),
    type: 'smallint[]',
    values: list('smallint', ['1', 'NULL']),
  },
  {
    name: 'matrix',
    make: () => integer().array().array(),
    type: 'integer[]',
    values: [`ARRAY[[1,2],[3,4]]`, `ARRAY[]::integer[]`],
  },
  {
    name: 'bigs',
    make: () => bigint({ mode: 'bigint' }).array(),
    type: 'bigint[]',
    values: list('bigint', ['7', '-8']),
  },
  {
    name: 'bigNumbers',
    make: () => bigint({ mode: 'number' }).array(),
    type: 'bigint[]',
    values: list('bigint', ['7', '-8']),
  },
  { name: 'nums', make: () => numeric().array(), type: 'numeric[]', values: list('numeric', NUMBERS) },
  {
    name: 'reals',
    make: () => real().array(),
    type: 'real[]',
    values: list('real', ['0.1', `'NaN'`, 'NULL']),
  },
  {
    name: 'bools',
    make: () => boolean().array(),
    type: 'boolean[]',
    values: list('boolean', ['true', 'NULL']),
  },
  { name: 'texts', make: () => text().array(), type: 'text[]', values: list('text', [...TEXTS, 'NULL']) },
  {
    name: 'varchars',
    make: () => varchar({ length: 40 }).array(),
    type: 'varchar(40)[]',
    values: list('varchar(40)', TEXTS),
  },
  {
    name: 'moods',
    make: () => mood().array(),
    type: 'mood[]',
    values: list('mood', [`'sad'`, `'a "quoted" one'`]),
  },
  { name: 'labels', make: () => label().array(), type: 'label[]', values: list('label', [`'a'`, `'b c'`]) },
  {
    name: 'uuids',
    make: () => uuid().array(),
    type: 'uuid[]',
    values: list('uuid', [`'00000000-0000-4000-8000-000000000001'`]),
  },
  { name: 'days', make: () => date({ mode: 'date' }).array(), type: 'date[]', values: list('date', DAYS) },
  { name: 'ats', make: () => timestamp().array(), type: 'timestamp[]', values: list('timestamp', TIMES) },
  {
    name: 'atZones',
    make: () => timestamp({ withTimezone: true }).array(),
    type: 'timestamptz[]',
    values: list('timestamptz', ZONED),
  },
  { name: 'times', make: () => time().array(), type: 'time[]', values: list('time', [`'12:34:56'`]) },
  {
    name: 'intervals',
    make: () => interval().array(),
    type: 'interval[]',
    values: list('interval', [`'1 day'`]),
  },
  { name: 'inets', make: () => inet().array(), type: 'inet[]', values: list('inet', [`'10.0.0.1'`]) },
  {
    name: 'jsons',
    make: () => jsonb().array(),
    type: 'jsonb[]',
    values: list('jsonb', [`'{"a": 1}'`, `'[1, 2]'`, 'NULL']),
  },
  { name: 'points', make: () => point().array(), type: 'point[]', values: list('point', [`'(1,2)'`]) },
  {
    name: 'byteas',
    make: () => bytea().array(),
    type: 'bytea[]',
    values: list('bytea', [`'\\x00ff'`]),
    loses: true,
  },
  {
    name: 'twice',
    make: () => integer().generatedAlwaysAs(sql`id * 2`),
    type: 'integer GENERATED ALWAYS AS (id * 2) STORED',
    values: ['DEFAULT'],
  },
];
