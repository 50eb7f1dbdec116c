import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { within } from '../testing/deadline.js';
import { createTestDatabase, startTestPostgres, withClient } from '../testing/postgres.js';
import { Served } from '../testing/served.js';
import { sharedDatabase } from '../testing/shared.js';

// The command line as a user meets it: processes, signals, exit codes, one line on stdout.

const TABLES = 'CREATE TABLE issue (id int PRIMARY KEY, title text)';
const SUBSCRIBE = { sql: 'SELECT id, title FROM issue ORDER BY id' };

async function failed(
  argv: readonly string[],
  environment?: Record<string, string>,
): Promise<{ code: number | null; err: string }> {
  const served = await Served.run(argv, environment);
  const code = await served.ended();
  expect(served.out).toBe('');
  return { code, err: served.err };
}

async function subscribed(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/subscribe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** What the first event of a subscription says: its rows, or its error. */
async function rowsOf(url: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const { subscription_id: id } = await subscribed(url, body, headers);
  const stop = new AbortController();
  const events = await fetch(`${url}/subscriptions/${String(id)}/events`, { headers, signal: stop.signal });
  let text = '';
  for await (const chunk of events.body ?? []) {
    text += Buffer.from(chunk).toString();
    const data = /^data: (.*)$/m.exec(text)?.[1];
    if (data === undefined || !text.includes('\n\n', text.indexOf('data: '))) continue;
    const event = JSON.parse(data) as { rows?: unknown; error?: unknown };
    return event.rows ?? event;
  }
  throw new Error(`the events ended: ${text}`);
}

test.each(['--no-views-thread', '--views-thread'])(
  'start %s: one line, ready, and nothing left behind',
  async (thread) => {
    const database = await sharedDatabase(TABLES);
    const served = await Served.run(['start', '--allow-sql', thread], { DATABASE_URL: database.url });
    const url = await served.ready();
    expect(served.out).toBe(`sluice ready ${url}\n`);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ok: true });
    expect(await subscribed(url, SUBSCRIBE)).toMatchObject({ subscription_id: expect.any(String) as string });
    expect(await subscribed(url, { sql: 'SELECT nope FROM issue' })).toMatchObject({
      error: { code: 'column_unknown' },
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_source_state\{state="streaming"\} 1$/m);
    expect(metrics).toMatch(/^sluice_errors_total\{code="column_unknown"\} 1$/m);
    for (const line of served.err.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ name: 'sluice' });
    expect(await served.stop()).toBe(0);
    const slots = `SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`;
    await expect.poll(async () => (await database.sql(slots)).rows).toEqual([]);
    await database.drop();
  },
);

test('start, stop and drop leave the database as it was', async () => {
  const database = await sharedDatabase(TABLES);
  const state = async (): Promise<unknown> =>
    (
      await database.sql(`SELECT
        (SELECT json_agg(pubname::text || pubowner::text ORDER BY 1) FROM pg_publication) AS publications,
        (SELECT json_agg(slot_name) FROM pg_replication_slots WHERE database = current_database()) AS slots,
        (SELECT json_agg(nspname ORDER BY 1) FROM pg_namespace WHERE nspname NOT LIKE 'pg_temp%' AND nspname NOT LIKE 'pg_toast_temp%') AS schemas,
        (SELECT json_agg(oid::regclass::text || relreplident::text ORDER BY 1) FROM pg_class WHERE oid >= 16384) AS relations,
        (SELECT json_agg(oid::regprocedure::text) FROM pg_proc WHERE oid >= 16384) AS functions,
        (SELECT json_agg(evtname) FROM pg_event_trigger) AS triggers`)
    ).rows;
  const before = await state();
  const slot = database.name.slice(0, 30);
  for (const mode of ['temporary', 'permanent']) {
    const served = await Served.run(['start', '--slot-mode', mode, '--slot-name', slot], {
      DATABASE_URL: database.url,
    });
    await served.ready();
    await served.stop();
    const dropped = await Served.run(['drop', '--slot-name', slot], { DATABASE_URL: database.url });
    expect(await dropped.ended()).toBe(0);
    await expect.poll(state).toEqual(before);
  }
  await database.drop();
});

test('a start as the owner creates the publication, and drop removes it', async () => {
  const database = await sharedDatabase(TABLES);
  await database.sql('DROP PUBLICATION sluice');
  const served = await Served.run(['start', '--allow-sql'], { DATABASE_URL: database.adminUrl });
  expect(await subscribed(await served.ready(), SUBSCRIBE)).toHaveProperty('subscription_id');
  await served.stop();
  const drop = await Served.run(['drop'], { DATABASE_URL: database.adminUrl });
  expect(await drop.ended()).toBe(0);
  expect(drop.out).toBe('dropped publication sluice\n');
  await database.drop();
});

test('a second signal does not wait', async () => {
  const database = await sharedDatabase(TABLES);
  const served = await Served.run(['start'], { DATABASE_URL: database.url, SLUICE_GRACE_MS: '60000' });
  const url = await served.ready();
  const socket = new (await import('ws')).default(`${url.replace('http', 'ws')}/ws`);
  await within('open', new Promise((resolve) => socket.once('open', resolve)));
  socket.send('{"kind":"hello","versions":[1]}');
  const goaway = new Promise<void>((resolve) =>
    socket.on('message', (data: Buffer) => {
      if (data.toString().includes('"goaway"')) resolve();
    }),
  );
  served.signal('SIGINT');
  await within('goaway', goaway);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  served.signal('SIGINT');
  expect(await served.ended()).toBe(1);
  socket.terminate();
  await database.drop();
});

test('until transactions end that were open when the slot was made, readyz names them', async () => {
  // A server of its own: on one that is shared, everybody's slot would have to wait for the transaction.
  const server = await startTestPostgres();
  const database = await createTestDatabase(server, TABLES);
  await withClient(database.adminUrl, async (writer) => {
    await writer.query(`BEGIN; INSERT INTO issue VALUES (1, 'open')`);
    const port = await freePortOf();
    const served = await Served.run(['start', '--allow-sql', '--port', String(port)], {
      DATABASE_URL: database.url,
    });
    const url = `http://127.0.0.1:${port}/sluice`;
    await expect.poll(async () => (await fetch(`${url}/readyz`).catch(() => null))?.status).toBe(503);
    expect(await subscribed(url, SUBSCRIBE)).toMatchObject({ error: { code: 'server_starting' } });
    expect(served.out).toBe('');
    await writer.query('COMMIT');
    expect(await served.ready()).toBe(url);
    await served.stop();
  });
  await database.drop();
  await server.destroy();
});

async function freePortOf(): Promise<number> {
  const { freePort } = await import('../embedded/embedded-postgres.js');
  return freePort();
}

test('what is wrong with the call is said before anything is touched', async () => {
  const url = { DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x' };
  expect(await failed(['start', '--prot', '1'], url)).toMatchObject({
    code: 2,
    err: expect.stringContaining('[usage_wrong]') as string,
  });
  expect(await failed(['start'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('[database_not_given]') as string,
  });
  expect(await failed(['start', '--host', '0.0.0.0'], url)).toMatchObject({
    code: 2,
    err: expect.stringContaining('[listen_not_loopback]') as string,
  });
  expect(await failed(['start', '--config', 'no.ts'], url)).toMatchObject({
    code: 2,
    err: expect.stringContaining('[config_file_missing]') as string,
  });
  const closed = await failed(['start'], url);
  expect(closed).toMatchObject({ code: 1, err: expect.stringContaining('[database_unreachable]') as string });
  expect(closed.err).not.toContain('canary');
});

test('a port that is taken', async () => {
  const database = await sharedDatabase(TABLES);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  expect(await failed(['start', '--port', port], { DATABASE_URL: database.url })).toMatchObject({
    code: 1,
    err: expect.stringContaining('[port_in_use]') as string,
  });
  other.close();
  await database.drop();
});

test.each([
  ['wal_level_not_logical', { wal_level: 'replica' }],
  ['replication_slots_full', { max_replication_slots: '0' }],
])('start against a Postgres with %s', async (code, settings) => {
  const server = await startTestPostgres({ settings });
  const database = await createTestDatabase(server, TABLES);
  expect(await failed(['start'], { DATABASE_URL: database.url })).toMatchObject({
    code: 1,
    err: expect.stringContaining(`[${code}]`) as string,
  });
  await database.drop();
  await server.destroy();
});

test('a table that only the client role may read is an error of its queries, not a wait', async () => {
  const database = await sharedDatabase(TABLES);
  await database.sql('REVOKE SELECT ON issue FROM sluice_service');
  const served = await Served.run(['start', '--allow-sql'], { DATABASE_URL: database.url });
  const url = await served.ready();
  const error = { error: { code: 'permission_denied' } };
  expect(await rowsOf(url, SUBSCRIBE)).toMatchObject(error);
  expect(await rowsOf(url, { sql: 'SELECT count(*) FROM issue' })).toMatchObject(error);
  await served.stop();
  await database.drop();
});

test('missing rights, publication and role stop a start with the remedy', async () => {
  const database = await sharedDatabase(TABLES);
  const name = `norepl_${database.name}`;
  await database.sql(
    `CREATE ROLE ${name} LOGIN; GRANT sluice_client TO ${name}; GRANT SELECT ON issue TO ${name}`,
  );
  const weak = { DATABASE_URL: database.adminUrl.replace('postgres@', `${name}@`) };
  expect((await failed(['start'], weak)).err).toContain(`ALTER ROLE ${name} REPLICATION`);
  const url = { DATABASE_URL: database.url };
  expect((await failed(['start', '--publication', 'nope'], url)).err).toContain('[publication_missing]');
  expect((await failed(['start', '--role', 'nope'], url)).err).toContain('[client_role_missing]');
  await database.drop();
});

test('a configuration in TypeScript, with queries and a password function, in a thread of its own too', async () => {
  const database = await sharedDatabase(`${TABLES}; INSERT INTO issue VALUES (1, 'one'), (2, 'two')`);
  for (const viewsThread of [false, true]) {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-project-'));
    await writeFile(
      join(folder, 'sluice.config.ts'),
      `const password: () => Promise<string> = async () => 'from a function';
       export default {
         viewsThread: ${viewsThread},
         database: { url: '${database.url}', password },
         auth: ({ token }: { token?: string }) => (token === 'sesame' ? { claims: { sub: '2' } } : null),
         queries: {
           one: { sql: 'SELECT title FROM issue WHERE id = $1', params: ['id'] },
           mine: ({ ctx }: any) => ({ text: 'SELECT title FROM issue WHERE id = $1', values: [ctx.claims.sub] }),
         },
       }`,
    );
    const served = await Served.run(['start'], {}, folder);
    const url = await served.ready();
    const one = { query: 'one', args: { id: 1 } };
    expect(await subscribed(url, one)).toMatchObject({ error: { code: 'unauthorized' } });
    const token = { authorization: 'Bearer sesame' };
    expect(await rowsOf(url, one, token)).toEqual([{ title: 'one' }]);
    expect(await rowsOf(url, { query: 'mine' }, token)).toEqual([{ title: 'two' }]);
    expect(await subscribed(url, { query: 'one' }, token)).toMatchObject({
      error: { code: 'query_args_invalid' },
    });
    expect(await subscribed(url, SUBSCRIBE, token)).toMatchObject({ error: { code: 'sql_not_allowed' } });
    await served.stop();
  }
  await database.drop();
});

test('dev brings a Postgres of its own, publishes new tables, and keeps its data', async () => {
  const first = await Served.run(['dev', '--allow-sql']);
  const url = await first.ready();
  await first.until(() => first.err.includes('psql postgres://'));
  const owner = /psql (\S+)/.exec(first.err)?.[1] ?? '';
  expect(await readFile(join(first.folder, '.sluice', '.gitignore'), 'utf8')).toBe('*\n');
  await withClient(owner, (client) => client.query(`${TABLES}; INSERT INTO issue VALUES (1, 'kept')`));
  await expect.poll(() => subscribed(url, SUBSCRIBE)).toHaveProperty('subscription_id');
  const second = await Served.run(['dev'], {}, first.folder);
  expect(await second.ended()).toBe(1);
  expect(second.err).toContain('[embedded_running]');
  expect(await first.stop()).toBe(0);
  const third = await Served.run(['dev', '--allow-sql'], {}, first.folder);
  await third.ready();
  await third.until(() => third.err.includes('psql postgres://'));
  expect(third.err).toContain(`psql ${owner}`);
  const kept = await withClient(owner, (client) => client.query('SELECT title FROM issue'));
  expect(kept.rows).toEqual([{ title: 'kept' }]);
  // Killed, it takes its Postgres along; what is left of a folder that was never finished is in nobody's way.
  third.signal('SIGKILL');
  await third.ended();
  await mkdir(join(first.folder, '.sluice', 'postgres-18.new-left'));
  const fourth = await Served.run(['dev', '--allow-sql'], {}, first.folder);
  await fourth.ready();
  expect(await fourth.stop()).toBe(0);
  await rm(await realpath(join(first.folder, '.sluice', 'postgres-18')), { recursive: true });
});

test('dev with DATABASE_URL gives itself the rights', async () => {
  const database = await sharedDatabase();
  await database.sql(TABLES);
  const served = await Served.run(['dev', '--allow-sql'], { DATABASE_URL: database.adminUrl });
  const url = await served.ready();
  expect(await subscribed(url, SUBSCRIBE)).toHaveProperty('subscription_id');
  const explained = await fetch(`${url}/explain`, { method: 'POST', body: JSON.stringify(SUBSCRIBE) });
  expect(await explained.json()).toMatchObject({ gear: 'incremental', observed: { views: 1 } });
  expect(await served.stop()).toBe(0);
  const silent = await Served.run(['dev', '--allow-sql', '--no-explain'], {
    DATABASE_URL: database.adminUrl,
  });
  const refused = await fetch(`${await silent.ready()}/explain`, { method: 'POST', body: '{}' });
  expect([refused.status, await refused.json()]).toMatchObject([404, { error: { code: 'explain_off' } }]);
  expect(await silent.stop()).toBe(0);
  await database.drop();
});
