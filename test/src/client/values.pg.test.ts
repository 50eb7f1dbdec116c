import { encodeParams, json, JsonNumber, type ParamValue } from '@sluice/client';
import { decoderFor, type Value } from '@sluice/core/decode';
import { rowDecoder } from '@sluice/core/row-decoder';
import { parseJson, printJson, survivesDouble } from '@sluice/core/json';
import type { DecoderKind } from '@sluice/core/shape';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { withClient, type TestDatabase } from '@sluice/server/testing/postgres';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await sharedDatabase();
  client = new pg.Client({
    connectionString: database.adminUrl,
    types: { getTypeParser: () => (text: unknown) => text },
  });
  await client.connect();
  await client.query(
    `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1;
     CREATE TYPE mood AS ENUM ('sad', 'ok', 'a "quoted" one'); CREATE TYPE pair AS (a integer, b text)`,
  );
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

/** What Postgres prints for a parameter of a type. */
async function printed(type: string, value: ParamValue): Promise<string | null> {
  const [text] = encodeParams([value]);
  const { rows } = await client.query<{ x: string | null }>(`SELECT $1::${type} AS x`, [text]);
  return rows[0]?.x ?? null;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** type, decoder, literal of Postgres, JavaScript value */
const VALUES: readonly (readonly [string, DecoderKind, string, Value])[] = [
  ['boolean', 'boolean', 'true', true],
  ['boolean', 'boolean', 'false', false],
  ['smallint', 'integer', '-32768', -32768],
  ['integer', 'integer', '2147483647', 2147483647],
  ['oid', 'integer', '4294967295', 4294967295],
  ['bigint', 'bigint', '-9223372036854775808', -9223372036854775808n],
  ['bigint', 'bigint', '9007199254740993', 9007199254740993n],
  ['real', 'float', '0.1', 0.1],
  ['real', 'float', '3.4028235e38', 3.4028235e38],
  ['double precision', 'float', '0.1', 0.1],
  ['double precision', 'float', '1.7976931348623157e308', 1.7976931348623157e308],
  ['double precision', 'float', '5e-324', 5e-324],
  ['double precision', 'float', 'NaN', Number.NaN],
  ['double precision', 'float', '-Infinity', Number.NEGATIVE_INFINITY],
  ['double precision', 'float', '-0', -0],
  ['numeric', 'text', '123456789012345678901234567890.1234567890', '123456789012345678901234567890.1234567890'],
  ['numeric', 'text', 'NaN', 'NaN'],
  ['numeric', 'text', 'Infinity', 'Infinity'],
  ['text', 'text', ' \t"quoted" \\ é 🜨 ', ' \t"quoted" \\ é 🜨 '],
  ['text', 'text', '', ''],
  ['char(4)', 'text', 'ab', 'ab  '],
  ['uuid', 'text', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  ['date', 'text', 'infinity', 'infinity'],
  ['date', 'text', '0044-03-15 BC', '0044-03-15 BC'],
  ['timestamp', 'text', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999'],
  ['timestamptz', 'text', '2024-02-29 12:00:00.123456+02', '2024-02-29 10:00:00.123456+00'],
  ['timestamptz', 'text', '-infinity', '-infinity'],
  ['time', 'text', '24:00:00', '24:00:00'],
  ['timetz', 'text', '23:59:59.000001-08', '23:59:59.000001-08'],
  ['interval', 'text', '1 year -2 days 00:00:00.000001', '1 year -2 days +00:00:00.000001'],
  ['bytea', 'bytes', '\\x00ff10', bytes(0, 255, 16)],
  ['bytea', 'bytes', '', bytes()],
  ['jsonb', 'json', '{"a": [1, 2.5, null, "x"], "__proto__": 1}', parseJson('{"a":[1,2.5,null,"x"],"__proto__":1}')],
  ['jsonb', 'json', 'null', null],
  ['jsonb', 'json', '"1"', '1'],
  ['jsonb', 'json', '12345678901234567890', new JsonNumber('12345678901234567890')],
  ['jsonb', 'json', '[0.1234567890123456789, 1.50]', [new JsonNumber('0.1234567890123456789'), 1.5]],
  ['json', 'json', '{"b": 1e400, "s": "12345678901234567890\\""}', { b: new JsonNumber('1e400'), s: '12345678901234567890"' }],
  ['inet', 'text', '192.168.0.1/24', '192.168.0.1/24'],
  ['int4range', 'text', '[1,5]', '[1,6)'],
  ['point', 'text', '(1,2.5)', '(1,2.5)'],
  ['mood', 'text', 'a "quoted" one', 'a "quoted" one'],
  ['pair', 'text', '(1,"x y")', '(1,"x y")'],
  ['tsvector', 'text', 'a b', "'a' 'b'"],
  ['integer[]', 'array:integer', '{}', []],
  ['integer[]', 'array:integer', '{1,NULL,-3}', [1, null, -3]],
  ['integer[]', 'array:integer', '{{1,2},{3,4}}', [[1, 2], [3, 4]]],
  ['bigint[]', 'array:bigint', '{9007199254740993}', [9007199254740993n]],
  ['boolean[]', 'array:boolean', '{t,f,NULL}', [true, false, null]],
  ['double precision[]', 'array:float', '{NaN,Infinity,-0}', [Number.NaN, Number.POSITIVE_INFINITY, -0]],
  ['text[]', 'array:text', '{"NULL",NULL,"",a,"a,b","{x}","q\\"\\\\"," s "}', ['NULL', null, '', 'a', 'a,b', '{x}', 'q"\\', ' s ']],
  ['bytea[]', 'array:bytes', '{"\\\\x00ff"}', [bytes(0, 255)]],
  ['jsonb[]', 'array:json', '{"{\\"a\\": 12345678901234567890}"}', [{ a: new JsonNumber('12345678901234567890') }]],
  ['mood[]', 'array:text', '{ok,"a \\"quoted\\" one"}', ['ok', 'a "quoted" one']],
]; // prettier-ignore

describe('every value comes back as it went, and means the same to Postgres', () => {
  test.each(VALUES)('%s (%s) %s', async (type, decoder, literal, value) => {
    const { rows } = await client.query<{ x: string }>(`SELECT $1::${type} AS x`, [literal]);
    const text = rows[0]?.x ?? '';
    const decoded = decoderFor(decoder, type)(text);
    expect(decoded).toEqual(value);
    if (decoder !== 'json') return expect(await printed(type, decoded as ParamValue)).toBe(text);
    // Spaces and trailing zeros of numbers are not part of a JSON value.
    const [again] = encodeParams([json(decoded)]);
    const same = await client.query<{ x: string }>('SELECT $1::jsonb = $2::jsonb AS x', [again, text]);
    return expect(same.rows[0]?.x).toBe('t');
  });

  test('arrays that do not start at 1 carry their bounds there and back', async () => {
    const { rows } = await client.query<{ x: string }>(`SELECT '[0:1][-2:-1]={{1,2},{3,4}}'::int[] AS x`);
    const decoded = decoderFor('array:integer')(rows[0]?.x ?? '');
    expect(decoded).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect((decoded as { lowerBounds?: readonly number[] }).lowerBounds).toEqual([0, -2]);
    expect(await printed('int[]', decoded as ParamValue)).toBe(rows[0]?.x);
  });

  test('the one array type whose delimiter is no comma', async () => {
    const { rows } = await client.query<{ x: string }>(`SELECT '{(1,1),(0,0);(3,3),(2,2)}'::box[] AS x`);
    expect(decoderFor('array:text', 'box[]')(rows[0]?.x ?? '')).toEqual(['(1,1),(0,0)', '(3,3),(2,2)']);
  });
});

describe('parameters', () => {
  test.each([
    ['timestamptz', new Date('2024-02-29T10:00:00.123Z'), '2024-02-29 10:00:00.123+00'],
    ['timestamptz', new Date(Date.UTC(12024, 0, 1)), '12024-01-01 00:00:00+00'],
    ['timestamptz', new Date('-000043-03-15T00:00:00Z'), '0044-03-15 00:00:00+00 BC'],
    ['date', new Date('2024-02-29T10:00:00Z'), '2024-02-29'],
    ['jsonb', { a: [1n, new JsonNumber('0.10')] }, '{"a": [1, 0.10]}'],
    ['jsonb', json([1, 'x']), '[1, "x"]'],
    ['jsonb', true, 'true'],
    ['boolean', false, 'f'],
    ['text', 'a\\b"c', 'a\\b"c'],
    ['float8', 1e21, '1e+21'],
    ['numeric', 9007199254740993n, '9007199254740993'],
    ['timestamptz[]', [new Date(0), null], '{"1970-01-01 00:00:00+00",NULL}'],
    ['int[]', [], '{}'],
    ['text', null, null],
    ['timestamptz', { toJSON: () => '2024-01-01T00:00:00Z' }, '2024-01-01 00:00:00+00'],
  ] as const)('%s takes %o', async (type, value, text) => {
    expect(await printed(type, value)).toBe(text);
  });

  test('any text, in any nesting, arrives as it is', async () => {
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('"', '\\', '{', '}', ',', ' ', '\n'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })) }).filter((it) => !it.includes('\0')); // prettier-ignore
    const arrays = fc.array(fc.array(fc.option(text), { minLength: 2, maxLength: 2 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(arrays, async (value) => {
        const back = await printed('text[]', value);
        expect(decoderFor('array:text')(back ?? '')).toEqual(value);
      }),
      { numRuns: 200 },
    );
  });
});

describe('JSON keeps every digit', () => {
  const number = fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      fc.option(fc.bigInt({ min: 0n, max: 10n ** 20n })),
    )
    .map(
      ([minus, whole, part]) => `${minus && whole > 0n ? '-' : ''}${whole}${part === null ? '' : `.${part}`}`,
    );
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      number,
      fc.json({ maxDepth: 0 }).filter((text) => !text.includes('\\u0000') && !/\\u[dD]/.test(text)),
      fc.array(tie('tree'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
      fc.dictionary(fc.string({ maxLength: 4 }).filter((name) => !name.includes('\0')), tie('tree'), { maxKeys: 4 })
        .map((members) => `{${Object.entries(members).map(([name, item]) => `${JSON.stringify(name)}:${item}`).join(',')}}`),
    ),
  })); // prettier-ignore

  test('what is decoded and sent back is the same jsonb', async () => {
    await withClient(database.adminUrl, async (plain) => {
      await fc.assert(
        fc.asyncProperty(tree, async (text) => {
          const again = printJson(parseJson(text));
          const { rows } = await plain.query<{ same: boolean }>('SELECT $1::jsonb = $2::jsonb AS same', [
            text,
            again,
          ]);
          expect(rows[0]?.same, `${text} became ${again}`).toBe(true);
        }),
        { numRuns: 300 },
      );
    });
  });

  test.each([
    ['9007199254740993', false],
    ['9007199254740992', true],
    ['0.1', true],
    ['1.50', true],
    ['100000000000000000000', true],
    ['0.30000000000000004', true],
    ['0.300000000000000040', true],
    ['0.3000000000000000400001', false],
    ['1e400', false],
    ['1e-400', false],
    ['1E2', true],
    ['0.000', true],
  ])('%s survives a double: %s', (text, survives) => {
    expect(survivesDouble(text)).toBe(survives);
  });

  test('nesting deeper than the call stack', () => {
    const deep = `${'['.repeat(50_000)}12345678901234567890${']'.repeat(50_000)}`;
    expect(() => parseJson(deep)).not.toThrow();
  });
});

describe('rows', () => {
  const column = (name: string) => ({ name, type: 'text', decoder: 'text' }) as const;

  test('names that occur twice get the next free number', () => {
    const columns = ['a', 'a', 'a_2', 'a'].map(column);
    expect(rowDecoder({ columns, ordered: false }, 'decoded')(['1', '2', '3', '4'])).toEqual({
      a: '1',
      a_3: '2',
      a_2: '3',
      a_4: '4',
    });
  });

  test('a column may be called __proto__ or constructor', () => {
    const decode = rowDecoder(
      { columns: ['__proto__', 'constructor'].map(column), ordered: false },
      'decoded',
    );
    const row = decode(['x', 'y']);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(Object.entries(row)).toEqual([['__proto__', 'x'], ['constructor', 'y']]); // prettier-ignore
  });

  test('as text, nothing is decoded', () => {
    const columns = [{ name: 'n', type: 'bigint', decoder: 'bigint' }] as const;
    expect(rowDecoder({ columns, ordered: false }, 'text')(['1'])).toEqual({ n: '1' });
  });

  test.each([
    ['boolean', 'true'],
    ['integer', '1.5'],
    ['integer', ''],
    ['bigint', '0x1'],
    ['float', 'abc'],
    ['float', ''],
    ['bytes', '\\x0'],
    ['json', '{'],
    ['array:integer', '{1,2'],
    ['array:integer', '1'],
    ['array:text', '{"a'],
  ] as const)('%s refuses %s', (decoder, text) => {
    expect(() => decoderFor(decoder)(text)).toThrow(SyntaxError);
  });
});
