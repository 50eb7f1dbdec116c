import { createClient, type Client } from '@sluice/client';
import { createSluice, defineQueries, query, rows, type Sluice } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/*
 * Queries that depend on who asks, and functions that misbehave: claims that change under open subscriptions, functions
 * that change what they are given, validators of every kind, names and identifiers that come from clients.
 */

const issues = pgTable('issue', { id: integer().primaryKey(), owner: text().notNull(), secret: text() });
const db = drizzle.mock();

interface Schema<In, Out> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => { value: Out } | { issues: { message: string }[] } | Promise<{ value: Out }>;
    readonly types?: { readonly input: In; readonly output: Out };
  };
}
const schema = <In, Out>(validate: Schema<In, Out>['~standard']['validate']): Schema<In, Out> => ({
  '~standard': { version: 1, vendor: 'test', validate },
});
const anything = schema<unknown, Record<string, unknown>>((value) => ({
  value: value as Record<string, unknown>,
}));

const TOKENS: Readonly<Record<string, { role?: string; claims: object }>> = {
  ada: { claims: { sub: 'ada', level: 'user' } },
  bob: { claims: { sub: 'bob', level: 'user' } },
  admin: { claims: { sub: 'ada', level: 'admin' } },
  banned: { claims: { sub: 'ada', level: 'banned' } },
  auditor: { role: 'auditor', claims: { sub: 'ada', level: 'user' } },
};

const queries = defineQueries({
  visible: query(({ ctx }) => {
    if (ctx.claims['level'] === 'banned') throw new Error('canary: banned');
    return ctx.claims['level'] === 'admin'
      ? rows<{ id: number; secret: string }>({ sql: 'SELECT id, secret FROM issue ORDER BY id' })
      : rows<{ id: number }>({
          sql: 'SELECT id FROM issue WHERE owner = $1 ORDER BY id',
          params: [ctx.claims['sub']],
        });
  }),
  whoRuns: query(() => rows<{ role: string }>({ sql: 'SELECT current_user::text AS role' })),
  escalates: query(({ ctx }) => {
    Object.assign(ctx, { role: 'postgres' });
    return rows({ sql: 'SELECT 1' });
  }),
  pretends: query(({ ctx }) => {
    Object.assign(ctx.claims, { sub: 'bob' });
    return rows({ sql: 'SELECT 1' });
  }),
  changesArgs: query(anything, ({ args }) => {
    const ids = args['ids'] as number[];
    ids.push(ids.length + 1);
    args['ids'] = ids;
    return rows<{ n: number }>({ sql: 'SELECT cardinality($1::int[]) AS n', params: [ids] });
  }),
  members: query(anything, ({ args }) =>
    rows<{ names: string[] }>({ sql: 'SELECT $1::text[] AS names', params: [Object.keys({ ...args })] }),
  ),
  identifier: query(
    schema<string, string>((value) => ({ value: String(value) })),
    ({ args }) =>
      db
        .select({ id: issues.id, by: sql<string>`${sql.identifier(args)}` })
        .from(issues)
        .orderBy(issues.id),
  ),
  raw: query(
    schema<string, string>((value) => ({ value: String(value) })),
    ({ args }) => rows({ sql: `SELECT id FROM issue ORDER BY ${args}` }),
  ),
  defaulted: query(
    schema<undefined, { at: Date }>(async () => ({ value: { at: new Date(0) } })),
    ({ args }) => rows<{ at: string }>({ sql: 'SELECT $1::timestamptz AS at', params: [args.at] }),
  ),
  throws: query(
    schema<unknown, unknown>(() => {
      throw new Error('canary: thrown');
    }),
    () => rows({ sql: 'SELECT 1' }),
  ),
  silent: query(
    schema<unknown, unknown>(() => undefined as never),
    () => rows({ sql: 'SELECT 1' }),
  ),
  refuses: query(
    schema<unknown, unknown>(() => ({ issues: [] })),
    () => rows({ sql: 'SELECT 1' }),
  ),
  fails: query(() => {
    throw new Error('canary: thrown');
  }),
  'a.b-c': query(() => rows<{ one: number }>({ sql: 'SELECT 1 AS one' })),
});

let database: TestDatabase;
let sluice: Sluice<unknown>;
let url: string;
const clients: Client[] = [];

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE issue (id int PRIMARY KEY, owner text NOT NULL, secret text);
    INSERT INTO issue VALUES (1, 'ada', 's1'), (2, 'bob', 's2');`);
  await database.sql(`DO $$ BEGIN CREATE ROLE auditor; EXCEPTION WHEN duplicate_object THEN END $$`);
  await database.sql(`GRANT auditor TO sluice_service; GRANT SELECT ON issue TO auditor`);
  sluice = createSluice({
    database: database.url,
    port: 0,
    logLevel: 'silent',
    graceMs: 0,
    auth: ({ token }) => (token === undefined ? null : ((TOKENS[token] as never) ?? null)),
    queries,
  });
  url = (await sluice.listen()).replace(/\/sluice$/, '');
});

afterAll(async () => {
  for (const client of clients) client.close();
  await sluice.stop();
  await database.drop();
});

function connect(token: string): Client {
  const { client } = createClient({ url, token, backoff: { firstMs: 10, maxMs: 50 } });
  clients.push(client);
  return client;
}

async function outcome(client: Client, name: string, args?: unknown): Promise<unknown> {
  const live = client.live({ query: name, ...(args === undefined ? {} : { args }) });
  try {
    const { rows: found } = await live.ready;
    return found;
  } catch (error) {
    expect(JSON.stringify(error) + String((error as Error).message)).not.toContain('canary');
    return (error as { code: string }).code;
  } finally {
    live.close({ keep: false });
  }
}

describe('claims that change under open subscriptions', () => {
  test('another text, another role, a function that throws, and back', async () => {
    const client = connect('ada');
    const visible = client.live({ query: 'visible' });
    const role = client.live({ query: 'whoRuns' });
    const bystander = connect('ada').live({ query: 'visible' });
    await Promise.all([visible.ready, role.ready, bystander.ready]);
    expect([visible.rows, role.rows]).toEqual([[{ id: 1 }], [{ role: 'sluice_client' }]]);

    const all = [
      { id: 1, secret: 's1' },
      { id: 2, secret: 's2' },
    ];
    await client.authenticate('admin');
    await expect.poll(() => visible.rows).toEqual(all);
    await client.authenticate('auditor');
    await expect.poll(() => [visible.rows, role.rows]).toEqual([[{ id: 1 }], [{ role: 'auditor' }]]);
    await client.authenticate('banned');
    await expect.poll(() => visible.error?.code).toBe('query_failed');
    await expect.poll(() => role.rows).toEqual([{ role: 'sluice_client' }]);
    expect(bystander.rows).toEqual([{ id: 1 }]);
    expect(bystander.status).toBe('current');
    await client.authenticate('bob');
    expect(await outcome(client, 'visible')).toEqual([{ id: 2 }]);
  });

  test('many changes at once: the last one holds', async () => {
    const client = connect('ada');
    const visible = client.live({ query: 'visible' });
    const role = client.live({ query: 'whoRuns' });
    await Promise.all([visible.ready, role.ready]);
    for (const token of ['admin', 'bob', 'auditor', 'ada', 'admin', 'bob']) void client.authenticate(token);
    await expect.poll(() => [visible.status, visible.rows]).toEqual(['current', [{ id: 2 }]]);
    await database.sql(`INSERT INTO issue VALUES (3, 'bob', 's3'), (4, 'ada', 's4')`);
    await expect.poll(() => visible.rows).toEqual([{ id: 2 }, { id: 3 }]);
    expect(role.rows).toEqual([{ role: 'sluice_client' }]);
    await database.sql('DELETE FROM issue WHERE id > 2');
    // Whoever comes next does not wait for it.
    await expect.poll(() => visible.rows).toEqual([{ id: 2 }]);
  });
});

describe('functions that misbehave', () => {
  test('one that changes who asks fails, and changes nothing', async () => {
    const client = connect('ada');
    expect(await outcome(client, 'escalates')).toBe('query_failed');
    expect(await outcome(client, 'pretends')).toBe('query_failed');
    expect(await outcome(client, 'whoRuns')).toEqual([{ role: 'sluice_client' }]);
    expect(await outcome(client, 'visible')).toEqual([{ id: 1 }]);
  });

  test('one that changes its arguments changes them for itself', async () => {
    const client = connect('ada');
    const live = client.live<{ n: number }>({ query: 'changesArgs', args: { ids: [1] } });
    await live.ready;
    expect(live.rows).toEqual([{ n: 2 }]);
    for (const token of ['bob', 'admin', 'ada']) {
      await client.authenticate(token);
      expect(await outcome(client, 'changesArgs', { ids: [1] })).toEqual([{ n: 2 }]);
    }
    expect(live.rows).toEqual([{ n: 2 }]);
  });

  test.each([
    ['fails', undefined, 'query_failed'],
    ['throws', {}, 'query_failed'],
    ['silent', {}, 'query_failed'],
    ['refuses', {}, 'query_args_invalid'],
    ['defaulted', undefined, [{ at: '1970-01-01 00:00:00+00' }]],
  ])('%s', async (name, args, expected) => {
    expect(await outcome(connect('ada'), name, args)).toEqual(expected);
  });
});

describe('what clients send', () => {
  test('members of every name are members, and nothing more', async () => {
    const args = JSON.parse(
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    ) as object;
    expect(await outcome(connect('ada'), 'members', args)).toEqual([{ names: ['__proto__', 'constructor'] }]);
    expect({}).not.toHaveProperty('polluted');
  });

  test.each([
    '',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '💥',
    'visible\0',
    'x'.repeat(10_240),
    'a.b',
  ])('there is no query %j', async (name) => {
    expect(await outcome(connect('ada'), name)).toBe('query_unknown');
  });

  test('a name with a point and a dash', async () => {
    expect(await outcome(connect('ada'), 'a.b-c')).toEqual([{ one: 1 }]);
  });

  test.each([
    'id" FROM issue; DROP TABLE issue; --',
    'owner" FROM issue UNION SELECT 1, rolpassword FROM pg_authid --',
    '"',
    '',
  ])('an identifier of theirs stays one: %j', async (name) => {
    expect(await outcome(connect('ada'), 'identifier', name)).not.toBeInstanceOf(Array);
    expect(await outcome(connect('ada'), 'identifier', 'owner')).toEqual([
      { id: 1, by: 'ada' },
      { id: 2, by: 'bob' },
    ]);
  });

  // An application that puts them into its text gives them what the client role may read; never more.
  test.each([
    '1; DROP TABLE issue',
    `1; SET ROLE postgres`,
    `(SELECT setval('x', 1))`,
    `(SELECT set_config('role', 'postgres', false))`,
    `(SELECT pg_read_file('/etc/passwd'))`,
    `(SELECT rolpassword FROM pg_authid LIMIT 1)`,
    `1 FOR UPDATE`,
  ])('a text of theirs does no harm: %j', async (order) => {
    expect(await outcome(connect('ada'), 'raw', order)).not.toBeInstanceOf(Array);
    expect((await database.sql('SELECT count(*)::int AS n FROM issue')).rows).toEqual([{ n: 2 }]);
  });
});
