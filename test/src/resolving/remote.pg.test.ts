import { createClient, type Sluice as SluiceClient } from '@sluice/client';
import { createSluice, type Sluice, type SluiceConfig } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PythonResolver } from './python-resolver.js';

// Queries that another process resolves over signed HTTP: a Python server that uses its standard library alone.

const SECRET = 'a secret of both sides';

let database: TestDatabase;
let resolver: PythonResolver;
const started: Sluice<unknown>[] = [];

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, owner text NOT NULL, at date);
    INSERT INTO issue VALUES (1, 7, 'ada', '2024-02-29'), (2, 7, 'bob', NULL), (3, 8, 'ada', NULL);`);
  resolver = await PythonResolver.start(SECRET);
});

afterAll(async () => {
  for (const sluice of started) await sluice.stop();
  await resolver.stop();
  await database.drop();
});

async function connect(
  resolve: NonNullable<SluiceConfig['resolve']>,
): Promise<SluiceClient<object>['client']> {
  const sluice = createSluice({
    database: database.url,
    port: 0,
    logLevel: 'silent',
    graceMs: 0,
    auth: ({ token }) => ({ claims: { sub: token ?? 'nobody' } }),
    queries: { own: { sql: 'SELECT 1 AS one' } },
    resolve,
  });
  started.push(sluice);
  const url = (await sluice.listen()).replace(/\/sluice$/, '');
  return createClient<object>({ url, token: 'ada', backoff: { firstMs: 10, maxMs: 50 } }).client;
}

const issuesOf = { query: 'issuesOf', args: { project: 7 } };

test('a query resolved by another process is live like any other', async () => {
  const client = await connect({ url: resolver.url, secret: SECRET });
  const live = client.live(issuesOf);
  const own = client.live({ query: 'own' });
  await Promise.all([live.ready, own.ready]);
  expect(live.rows).toEqual([{ id: 1, owner: { name: 'ada', since: new Date('2024-02-29T00:00:00Z') } }]);
  expect(own.rows).toEqual([{ one: 1 }]);
  expect(live.gear).toBe('incremental');

  await database.sql(`INSERT INTO issue VALUES (4, 7, 'ada', NULL)`);
  const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
  await client.reached(String(rows[0]?.lsn));
  expect(live.rows[1]).toEqual({ id: 4, owner: { name: 'ada', since: null } });
  await database.sql(`DELETE FROM issue WHERE id = 4`);

  await expect(client.live({ query: 'none' }).ready).rejects.toMatchObject({ code: 'query_unknown' });
  await expect(client.live({ query: 'issuesOf', args: {} }).ready).rejects.toMatchObject({
    code: 'query_args_invalid',
    detail: 'issuesOf: project: must be a number',
  });
  await expect(client.live({ query: 'nonsense' }).ready).rejects.toMatchObject({
    code: 'resolver_answer_invalid',
  });
  client.close();
});

test('another secret is refused until both sides agree; while one is rotated, requests are signed with both', async () => {
  const client = await connect({ url: resolver.url, secret: 'another secret, as long' });
  const refused = client.live(issuesOf);
  await new Promise<void>((done) => {
    refused.subscribe(() => (refused.status === 'error' ? done() : undefined));
  });
  expect(refused.error).toMatchObject({ code: 'resolver_refused', retry: true });
  client.close();

  const rotating = await connect({ url: resolver.url, secret: ['the next secret of both', SECRET] });
  const live = rotating.live(issuesOf);
  await live.ready;
  expect(live.rows).toHaveLength(1);
  rotating.close();
});

test('what may pass is tried again by itself: a process that fails, one that is away', async () => {
  const client = await connect({ url: resolver.url, secret: SECRET });
  const states: string[] = [];
  const broken = client.live({ query: 'broken' });
  await new Promise<void>((done) => {
    broken.subscribe(() => (broken.status === 'error' ? done() : undefined));
  });
  expect(broken.error).toMatchObject({ code: 'resolver_failed', detail: 'broken: status 500', retry: true });
  broken.close();

  const { port } = resolver;
  await resolver.stop();
  const live = client.live(issuesOf);
  await new Promise<void>((done) => {
    live.subscribe(() => {
      states.push(live.status === 'error' ? (live.error?.code ?? '') : live.status);
      if (states.length === 1) done();
    });
  });
  resolver = await PythonResolver.start(SECRET, port);
  await live.ready;
  expect(states[0]).toBe('resolver_unreachable');
  expect(live.rows).toHaveLength(1);
  client.close();
});

test('a function of this process; answers of a wrong kind', async () => {
  const client = await connect(async (name, args) => {
    if (name === 'typed')
      return {
        sql: 'SELECT $1::int8 AS n',
        params: [args],
        shape: { columns: [{ path: ['n'], value: 'number' }] },
      };
    if (name === 'short') return { sql: 'SELECT 1, 2', shape: { columns: [] } };
    return null;
  });
  const typed = client.live({ query: 'typed', args: '7' });
  await typed.ready;
  expect(typed.rows).toEqual([{ n: 7 }]);
  await expect(client.live({ query: 'short' }).ready).rejects.toMatchObject({
    code: 'resolver_answer_invalid',
  });
  await expect(client.live({ query: 'none' }).ready).rejects.toMatchObject({ code: 'query_unknown' });
  client.close();
});

test('an answer that is too long, or too late', async () => {
  const long = await connect({ url: resolver.url, secret: SECRET, timeoutMs: 1 });
  const live = long.live(issuesOf);
  await new Promise<void>((done) => {
    live.subscribe(() => (live.status === 'loading' ? undefined : done()));
  });
  expect(live.error).toMatchObject({
    code: 'resolver_unreachable',
    detail: 'issuesOf: no answer within 1 ms',
  });
  long.close();
});
