import { expect, test } from 'vitest';
import type { QueryDefinition } from '../config/config.js';
import { resolveNamed } from './resolve-named.js';

const ctx = { role: 'someone', claims: { sub: '7' } };
const queries: Record<string, QueryDefinition> = {
  listed: { sql: 'SELECT $1::int, $2::text', tick: '1m' },
  named: { sql: 'SELECT $1::int, $2::int[]', params: ['id', 'tags'] },
  mine: ({ ctx: { claims } }) => ({ text: 'SELECT $1', values: [claims['sub']] }),
  later: async ({ args }) => ({ sql: 'SELECT $1', params: [await Promise.resolve(args)] }),
  empty: () => ({}),
  odd: () => ({ sql: 'SELECT $1', params: [Symbol('x')] }),
};
const resolve = (name: string, args?: unknown): ReturnType<typeof resolveNamed> =>
  resolveNamed(queries, name, args, ctx);

test('arguments become parameters in Postgres text', async () => {
  expect(await resolve('listed', [7, null])).toEqual({
    sql: 'SELECT $1::int, $2::text',
    params: ['7', null],
    tick: '1m',
  });
  expect(await resolve('named', { tags: [1, 2], id: 5n })).toMatchObject({ params: ['5', '{1,2}'] });
  expect(await resolve('mine')).toEqual({ sql: 'SELECT $1', params: ['7'] });
  expect(await resolve('later', true)).toEqual({ sql: 'SELECT $1', params: ['true'] });
});

test.each(['none', 'constructor', '__proto__', 'toString'])('%s is no query', async (name) => {
  expect(await resolve(name)).toBeNull();
});

test.each([
  ['named', { id: 1 }, 'query_args_invalid', 'named misses tags'],
  ['named', { id: 1, tags: [], tag: 2 }, 'query_args_invalid', 'named knows only id, tags'],
  ['named', [1], 'query_args_invalid', 'named takes an object with id, tags'],
  ['listed', { id: 1 }, 'query_args_invalid', 'listed takes a list of arguments'],
  ['listed', ['a\0b', 'canary'], 'query_args_invalid', 'listed: $1: text with a NUL character'],
  ['empty', null, 'query_answer_invalid', 'empty: its function returned no SQL'],
  ['odd', null, 'query_answer_invalid', 'odd: $1: it is a symbol'],
])('%s(%j) fails with %s', async (name, args, code, detail) => {
  await expect(resolve(name, args)).rejects.toMatchObject({ code, detail });
});
