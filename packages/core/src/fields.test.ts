import { expect, test } from 'vitest';
import type { Value } from './decode.js';
import { fieldsDecoder } from './fields.js';
import type { ValueShape } from './shape.js';

function read(value: ValueShape, text: string, type = 'text'): Value | undefined {
  const columns = [{ name: 'x', type, decoder: 'text' as const }];
  return fieldsDecoder({ columns, ordered: false }, { columns: [{ path: ['x'], value }] })([text])['x'];
}

test.each([
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2024-02-29 12:34:56', '2024-02-29T12:34:56.000Z'],
  ['2024-02-29 12:34:56.789999', '2024-02-29T12:34:56.789Z'],
  ['2024-02-29 12:34:56.7+00', '2024-02-29T12:34:56.700Z'],
  ['2024-02-29T12:34:56.5+05:30', '2024-02-29T07:04:56.500Z'],
  ['1900-01-01 00:00:00-00:19:32', '1900-01-01T00:19:32.000Z'],
  ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ['0099-12-31 23:59:59', '0099-12-31T23:59:59.000Z'],
  ['0001-12-31 BC', '0000-12-31T00:00:00.000Z'],
  ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
  ['12024-01-01', '+012024-01-01T00:00:00.000Z'],
  ['1969-12-31 23:59:59.999', '1969-12-31T23:59:59.999Z'],
])('the date %s is %s', (text, iso) => {
  expect((read('date', text) as Date).toISOString()).toBe(iso);
  expect(read({ list: 'date' }, JSON.stringify([text]))).toEqual([new Date(iso)]);
});

test('infinity is no time; what is no date is malformed', () => {
  expect(Number(read('date', '-infinity'))).toBeNaN();
  expect(() => read('date', 'tomorrow')).toThrow(SyntaxError);
});

test.each<[ValueShape, string, Value]>([
  ['number', '9007199254740993', 9007199254740992],
  ['number', 'NaN', Number.NaN],
  ['string', '1e+20', '100000000000000000000'],
  ['plain', '{"a": 12345678901234567890}', { a: 12345678901234567000 }],
  ['numbers', '(1.5,-2e3)', [1.5, -2000]],
  [{ numbers: ['x', 'y', 'radius'] }, '<(1,2),3>', { x: 1, y: 2, radius: 3 }],
  [{ array: 'date' }, '{2024-02-29,NULL}', [new Date('2024-02-29'), null]],
  [
    { array: 'number' },
    '{{1,2},{3,NULL}}',
    [
      [1, 2],
      [3, null],
    ],
  ],
  [{ array: 'plain' }, '{"{\\"a\\": 1}"}', [{ a: 1 }]],
  [{ list: 'bigint' }, '[9223372036854775807, null]', [9223372036854775807n, null]],
  [{ list: 'text' }, '[12345678901234567890.5, "x", 1.5]', ['12345678901234567890.5', 'x', '1.5']],
  [{ list: 'boolean' }, '[true, false]', [true, false]],
  [{ list: 'plain' }, '[{"a": [12345678901234567890, "x"]}, 1]', [{ a: [12345678901234567000, 'x'] }, 1]],
  [{ list: { array: 'number' } }, '[[[1, 2], [3]]]', [[[1, 2], [3]]]],
  [{ list: { numbers: ['x', 'y'] } }, '["(1,2)", null]', [{ x: 1, y: 2 }, null]],
  [
    {
      tuple: [
        ['id', 'number'],
        ['of', { tuple: [['__proto__', 'text']] }],
      ],
    },
    '[1, null]',
    { id: 1, of: null },
  ],
])('%j reads %s', (shape, text, expected) => {
  expect(read(shape, text)).toEqual(expected);
});

test('what is of another kind is malformed', () => {
  expect(() => read({ list: 'text' }, '{"a": 1}')).toThrow(SyntaxError);
  expect(() => read({ tuple: [['a', 'text']] }, '7')).toThrow(SyntaxError);
  expect(() => read('bigint', '1.5')).toThrow(SyntaxError);
});

test('objects by path; those that nothing was joined to are null', () => {
  const columns = ['id', 'name', 'a', 'b'].map((name) => ({ name, type: 'text', decoder: 'text' as const }));
  const decode = fieldsDecoder(
    { columns, ordered: false },
    {
      columns: [
        { path: ['id'], value: 'number' },
        { path: ['__proto__', 'name'], value: 'text' },
        { path: ['of', 'a'], value: 'text' },
        { path: ['of', 'deep', 'b'], value: 'text' },
      ],
      absent: [{ path: ['of'], columns: [2, 3] }],
    },
  );
  const row = decode(['1', 'x', null, 'b']);
  expect(Object.keys(row)).toEqual(['id', '__proto__', 'of']);
  expect(row['of']).toEqual({ a: null, deep: { b: 'b' } });
  expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  expect(decode(['1', 'x', null, null])['of']).toBeNull();
});
