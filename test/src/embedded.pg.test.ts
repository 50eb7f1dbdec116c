import { createServer, type Server } from 'node:http';
import { createClient } from '@sluice/client';
import { createSluice, type Sluice } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

// createSluice inside an application: beside its routes, on its server, with its transactions.

let database: TestDatabase;
let sluice: Sluice;
let server: Server;
let url: string;

beforeAll(async () => {
  database = await sharedDatabase('CREATE TABLE issue (id int PRIMARY KEY, title text)');
  sluice = createSluice({
    database: database.url,
    logLevel: 'silent',
    graceMs: 0,
    auth: ({ token }) => (token === 'me' ? { claims: { sub: 7 } } : null),
    queries: {
      issues: { sql: 'SELECT id, title FROM issue ORDER BY id' },
      mine: ({ ctx }) => ({ sql: 'SELECT title FROM issue WHERE id = $1', params: [ctx.claims['sub']] }),
    },
  });
  server = createServer((_request, response) => response.end('theirs'));
  sluice.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  await sluice.start();
});
afterAll(async () => {
  await sluice.stop();
  server.close();
  await database.drop();
});

test('a token made in the transaction is reached with its rows', async () => {
  const { client } = createClient({ url, token: 'me' });
  const issues = client.live({ query: 'issues', args: [] });
  const mine = client.live({ query: 'mine', args: null });
  await Promise.all([issues.ready, mine.ready]);
  const pool = new pg.Pool({ connectionString: database.adminUrl, max: 1 });
  const writer = await pool.connect();
  await writer.query('BEGIN');
  await writer.query(`INSERT INTO issue VALUES (7, 'mine')`);
  const token = await sluice.token(writer);
  await writer.query('COMMIT');
  writer.release();
  await client.reached(token);
  expect(issues.rows).toEqual([{ id: 7, title: 'mine' }]);
  expect(mine.rows).toEqual([{ title: 'mine' }]);
  await pool.end();
  client.close();
});

test("the application's own routes go on", async () => {
  expect(await (await fetch(`${url}/else`)).text()).toBe('theirs');
  expect(await (await fetch(`${url}/sluice/readyz`)).json()).toEqual({ ok: true });
});

test('a router serves what is not a WebSocket', async () => {
  const router = createServer((request, response) => {
    sluice.handler(request, response, () => response.writeHead(404).end('next'));
  });
  await new Promise<void>((resolve) => router.listen(0, '127.0.0.1', resolve));
  const address = router.address();
  const at = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  expect((await fetch(`${at}/sluice/healthz`)).status).toBe(200);
  expect(await (await fetch(`${at}/else`)).text()).toBe('next');
  router.close();
});

test('a server that others reach is refused without `insecure`', async () => {
  const open = createServer();
  await new Promise<void>((resolve) => open.listen(0, '0.0.0.0', resolve));
  expect(() => sluice.attach(open)).toThrowError(
    expect.objectContaining({ code: 'listen_not_loopback' }) as Error,
  );
  open.close();
});

test('wrong configurations and second lives are refused at once', async () => {
  expect(() => createSluice({})).toThrowError(
    expect.objectContaining({ code: 'database_not_given' }) as Error,
  );
  const wrong = { database: database.url, quries: {} };
  expect(() => createSluice(wrong)).toThrowError(
    expect.objectContaining({ code: 'config_key_unknown' }) as Error,
  );
  const once = createSluice({ database: database.url, logLevel: 'silent' });
  await once.stop();
  await expect(once.start()).rejects.toMatchObject({ code: 'sluice_stopped' });
});
