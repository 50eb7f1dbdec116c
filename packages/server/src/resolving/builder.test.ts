import { count, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { customType, integer, pgTable, text } from 'drizzle-orm/pg-core';
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ShapeColumn } from '@sluice/core/shape';
import { readAnswer } from './answer.js';
import { validArgs } from './arguments.js';

const money = customType<{ data: bigint; driverData: string }>({
  dataType: () => 'numeric',
  fromDriver: (value) => BigInt(value),
});
const raw = customType<{ data: string }>({ dataType: () => 'citext' });
const items = pgTable('items', { id: integer().primaryKey(), price: money(), note: raw(), title: text() });
const db = drizzle.mock({ schema: { items } });

interface Tables {
  items: { id: number; title: string; span: string };
}
const kysely = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

const column = (type: string): ShapeColumn => ({ name: 'x', type, decoder: 'text' });

test.each<[string, () => unknown, RegExp]>([
  ['an insert', () => db.insert(items).values({ id: 1 }), /PgInsert of Drizzle is no query/],
  ['a delete', () => db.delete(items).returning(), /PgDelete/],
  ['a count', () => db.$count(items), /PgCountBuilder.+db\.select\(\{ count/],
  ['a fragment', () => sql`SELECT 1`, /SQL of Drizzle.+rows\(/],
  ['raw SQL', () => db.execute(sql`SELECT 1`), /PgRaw/],
  ['a table', () => items, /PgTable/],
  [
    'a placeholder',
    () =>
      db
        .select()
        .from(items)
        .where(eq(items.id, sql.placeholder('id'))),
    /prepared/,
  ],
  [
    'an update of Kysely',
    () => kysely.updateTable('items').set({ id: 1 }),
    /Only a select builder of Kysely/,
  ],
  [
    'renamed columns',
    () => kysely.withPlugin(new CamelCasePlugin()).selectFrom('items').select('id'),
    /CamelCase/,
  ],
  ['nothing', () => undefined, /returned no SQL/],
  ['a number', () => 7, /returned no SQL/],
  ['rows', () => Promise.resolve([{ id: 1 }]), /async, or awaits/],
  ['a row', () => Promise.resolve({ id: 1, text: 'SELECT 1' }), /async, or awaits/],
  ['a row of one column', () => Promise.resolve({ text: 'SELECT 1' }), /async, or awaits/],
])('%s is refused, and why', async (_, make, detail) => {
  await expect(readAnswer(make(), 'name')).rejects.toMatchObject({
    code: 'query_answer_invalid',
    detail: expect.stringMatching(detail) as string,
  });
});

test('what JavaScript makes of a value cannot travel: the column is named', async () => {
  const custom = await readAnswer(db.select({ id: items.id, price: items.price }).from(items), 'name');
  const detail = (pattern: string): unknown =>
    expect.objectContaining({
      code: 'query_answer_invalid',
      detail: expect.stringContaining(pattern) as string,
    });
  expect(() => custom.fields?.([column('integer'), column('numeric')])).toThrow(
    detail('name: column price of type numeric') as Error,
  );
  const mapped = sql`${items.title}`.mapWith((value: string) => value.length);
  const length = await readAnswer(db.select({ n: mapped }).from(items), 'name');
  expect(() => length.fields?.([column('text')])).toThrow(detail('column n of type text') as Error);
  expect(
    (await readAnswer(db.select({ n: count() }).from(items), 'name')).fields?.([column('bigint')]),
  ).toEqual({
    columns: [{ path: ['n'], value: 'number' }],
  });
  const nested = await readAnswer(db.select({ note: items.note }).from(items), 'name');
  expect(nested.fields?.([{ ...column('citext'), name: 'note' }])).toBeNull();
  const span = await readAnswer(kysely.selectFrom('items').select('span'), 'name');
  expect(() => span.fields?.([column('interval')])).toThrow(detail('of type interval') as Error);
  expect(() => custom.fields?.([])).toThrow(detail('2 columns, the query 0') as Error);
});

test('complaints about arguments name places and kinds, never values', async () => {
  const schema = z.object({ id: z.int(), tags: z.array(z.string()) });
  await expect(validArgs(schema, { id: 'canary', tags: [1] }, 'issues')).rejects.toMatchObject({
    code: 'query_args_invalid',
    detail:
      'issues: id: Invalid input: expected number, received string; tags.0: Invalid input: expected string, received number',
  });
  const telling = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => ({
        issues: [{ message: 'Expected number but received "canary"', path: [{ key: 'id' }] }],
      }),
    },
  } as const;
  await expect(validArgs(telling, { id: 'canary' }, 'issues')).rejects.toMatchObject({
    detail: 'issues: id: Expected number but received "…"',
  });
  expect(await validArgs(null, {}, 'issues')).toBeUndefined();
});
