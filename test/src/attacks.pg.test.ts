import { createClient, type Client, type LiveView } from '@sluice/client';
import { createSluice, type SluiceConfig } from '@sluice/server';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

// What an enemy may try from outside: over the wire, against the product as it is served.

const SCHEMA = String.raw`
  CREATE TABLE item (id int PRIMARY KEY, owner text, name text, vc varchar(20));
  INSERT INTO item VALUES (1, 'ada', 'lamp', 'a'), (2, 'bob', 'chair', 'b');
  CREATE TABLE hidden (id int PRIMARY KEY, secret text);
  INSERT INTO hidden VALUES (1, 'canary-row');
  CREATE FUNCTION reads_hidden() RETURNS text LANGUAGE sql STABLE AS 'SELECT secret FROM hidden';
  CREATE FUNCTION factor(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
  CREATE FUNCTION said() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
  CREATE VIEW odd AS SELECT id FROM item WHERE id % 2 = 1;
  CREATE TABLE guarded (id int PRIMARY KEY, secret text);
  INSERT INTO guarded VALUES (1, 'canary-row');
  ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
  CREATE VIEW over_guarded AS SELECT * FROM guarded;
  CREATE FUNCTION reads_guarded() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT secret FROM guarded';
  CREATE FUNCTION looks_guarded() RETURNS SETOF text LANGUAGE plpgsql STABLE AS
    'BEGIN RETURN QUERY EXECUTE ''SELECT secret FROM '' || ''guarded''; END';
  CREATE SCHEMA evil;
  CREATE FUNCTION evil.upper(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT secret FROM public.hidden';
  CREATE SEQUENCE counter;
`;

interface Bench {
  readonly database: TestDatabase;
  readonly url: string;
  client(token?: string): Client;
  close(): Promise<void>;
}

async function serve(
  config: Partial<SluiceConfig>,
  setup: string = SCHEMA,
  then: readonly string[] = [],
): Promise<Bench> {
  const database = await sharedDatabase(setup);
  await database.sql('REVOKE SELECT ON hidden FROM sluice_client');
  for (const statement of then) await database.sql(statement.replaceAll('DATABASE_NAME', database.name));
  const sluice = createSluice({
    database: database.url,
    port: 0,
    logLevel: 'silent',
    pollMs: 100,
    ...config,
  });
  const url = await sluice.listen();
  const clients: Client[] = [];
  return {
    database,
    url,
    client: (token) => {
      const { client } = createClient({ url, values: 'text', ...(token === undefined ? {} : { token }) });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      await sluice.stop();
      await database.drop();
    },
  };
}

/** What a query comes to: its rows, or the code of its refusal. */
async function outcome(client: Client, ref: Parameters<Client['live']>[0]): Promise<unknown> {
  const view = client.live(ref);
  return view.ready.then(
    ({ rows }) => rows,
    (error: { code: string; detail?: string }) => {
      expect(JSON.stringify([error, error.detail])).not.toMatch(/canary|at .*\.js:/);
      return error.code;
    },
  );
}

const sql = (text: string, params: readonly string[] = []) => ({ sql: text, params });

describe('text', () => {
  let bench: Bench;
  beforeAll(async () => (bench = await serve({ allowSql: true })));
  afterAll(() => bench.close());

  test.each([
    `SELECT set_config('role', 'none', false)`,
    `SELECT query_to_xml('SELECT * FROM hidden', true, true, '')`,
    `SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS x(a int)`,
    `SELECT pg_sleep(100)`,
    `SELECT lo_get(1)`,
    `SELECT nextval('counter')`,
    `WITH x AS (DELETE FROM item RETURNING *) SELECT * FROM x`,
    `WITH x AS (INSERT INTO item VALUES (9) RETURNING *) SELECT * FROM x`,
    `SELECT 1; DROP TABLE item`,
    `SELECT 1; SELECT 2`,
    `SELECT * INTO stolen FROM item`,
    `CREATE TABLE stolen AS SELECT 1`,
    `SELECT * FROM item FOR UPDATE`,
    `SELECT * FROM (SELECT * FROM item FOR SHARE SKIP LOCKED) x`,
    `COPY item TO PROGRAM 'true'`,
    `EXPLAIN ANALYZE SELECT 1`,
    `SET ROLE none`,
    `DO $$ BEGIN END $$`,
    `SELECT * FROM pg_authid`,
    `SELECT * FROM pg_stat_activity`,
    `SELECT * FROM information_schema.tables`,
    `SELECT * FROM pg_catalog.pg_settings`,
    `SELECT current_setting('request.jwt.claims')`,
    `SELECT 'hidden'::regclass::oid`,
    `SELECT reads_hidden()`,
    `SELECT * FROM hidden`,
    `SELECT id FROM item WHERE EXISTS (SELECT FROM hidden WHERE secret LIKE 'c%')`,
    `SELECT id FROM item ORDER BY (SELECT secret FROM hidden)`,
    `SELECT evil.upper(name) FROM item`,
    `SELECT * FROM guarded`,
    `SELECT * FROM over_guarded`,
    `TABLE counter`,
    `SELECT last_value FROM counter`,
    `SELECT * FROM item TABLESAMPLE SYSTEM (50)`,
    `SELECT now()`,
    `SELECT * FROM "1=1) OR (1=1"`,
    `SELECT "1=1) OR (1=1" FROM item`,
    `SELECT id FROM item WHERE owner = 'x' OR 1=1) OR (1=1`,
    `/* */`,
    '',
    ';',
    '\\q',
    `SELECT '\u0000'`,
  ])('refused: %s', async (text) => {
    const code = await outcome(bench.client(), sql(text));
    expect(code).toMatch(/^[a-z_]+$/);
    expect(code).not.toMatch(/^(internal|planning_failed|protocol)/);
  });

  test('is data where it is a parameter, or quoted', async () => {
    const client = bench.client();
    const bad = '1=1) OR (1=1 --';
    expect(await outcome(client, sql('SELECT id FROM item WHERE owner = $1', [bad]))).toEqual([]);
    expect(await outcome(client, sql('SELECT id FROM item WHERE lower(owner) = $1', [bad]))).toEqual([]);
    expect(await outcome(client, sql(`SELECT 1 AS "1=1) OR (1=1"`))).toEqual([{ '1=1) OR (1=1': '1' }]);
    expect(await outcome(client, sql(`SELECT 1 AS "__proto__"`))).toEqual([JSON.parse('{"__proto__": "1"}')]);
  });

  test('an error of a row does not quote it', async () => {
    const client = bench.client();
    await bench.database.sql(`INSERT INTO item VALUES (50, 'canary-owner', 'canary-name')`);
    expect(await outcome(client, sql('SELECT name::int FROM item'))).toMatch(/^[a-z_]+$/);
    expect(await outcome(client, sql('SELECT id FROM item WHERE id = $1', ['canary-value']))).toBe(
      'parameter_invalid',
    );
    expect(await outcome(client, sql('SELECT 1 / (id - id) FROM item'))).toMatch(/^[a-z_]+$/);
    expect(await outcome(client, sql(`SELECT name ~ '(canary' FROM item`))).toMatch(/^[a-z_]+$/);
    await bench.database.sql('DELETE FROM item WHERE id = 50');
  });

  test('that is huge is refused, and others do not notice', async () => {
    const bystander = bench.client();
    const view = await bystander.live(sql('SELECT id FROM item ORDER BY id')).ready;
    const raw = (body: string) =>
      fetch(`${bench.url}/subscribe`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    const bodies = [
      JSON.stringify({ sql: `SELECT '${'x'.repeat(900_000)}'` }),
      JSON.stringify({ sql: `SELECT '${'x'.repeat(5_000_000)}'` }),
      JSON.stringify({
        sql: `SELECT ${Array.from({ length: 10_000 }, (_, i) => `$${i + 1}::int`).join()}`,
        params: Array(10_000).fill('1'),
      }),
      JSON.stringify({ sql: 'SELECT $1::int', params: Array(10_000).fill('1') }),
      JSON.stringify({ sql: 'SELECT $99999' }),
      `{"sql": ${'['.repeat(400_000)}`,
      `{"sql": "SELECT 1", "params": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      '{"__proto__": {"sql": "SELECT 1"}}',
      '{"sql": "SELECT 1", "params": {"__proto__": 1}}',
      '{"sql": ["SELECT 1"]}',
      '{"sql": "SELECT 1", "tick": "1ns"}',
      '{"query": "constructor"}',
      '{"query": "__proto__", "args": {"__proto__": {"x": 1}}}',
      'null',
      '[]',
      '"x"',
      '',
      '\u0000',
    ];
    for (const body of bodies) {
      const response = await raw(body);
      const text = await response.text();
      expect([body.slice(0, 60), response.status >= 400 && response.status < 500]).toEqual([
        body.slice(0, 60),
        true,
      ]);
      expect(text).not.toMatch(/ at .*\.js|node_modules|xxxxxxxx/);
      expect(JSON.parse(text)).toMatchObject({
        error: { code: expect.stringMatching(/^[a-z_]+$/) as string },
      });
    }
    for (const body of bodies)
      expect(await lastWords(bench.url, body)).toMatch(/^(1007|1008|1009|error [a-z_]+)$/);
    await bench.database.sql('INSERT INTO item VALUES (77)');
    await expect.poll(() => view.rows.length).toBe(3);
    await bench.database.sql('DELETE FROM item WHERE id = 77');
    expect(bystander.status).toBe('online');
  });
});

/** Sends a message on a socket of its own; how the server answers: a close code, or an error. */
function lastWords(url: string, body: string): Promise<string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${body.slice(0, 60)}`)), PATIENCE_MS);
    const done = (words: string): void => {
      clearTimeout(timer);
      socket.terminate();
      resolve(words);
    };
    socket.on('open', () => socket.send(body));
    socket.on('error', () => undefined);
    socket.on('close', (code) => done(String(code)));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { error?: { code: string } };
      if (message.error) done(`error ${message.error.code}`);
    });
  });
}

test('SQL is refused where it is not allowed, however it comes', async () => {
  const bench = await serve({ queries: { items: { sql: 'SELECT id FROM item ORDER BY id' } } });
  try {
    const client = bench.client();
    expect(await outcome(client, sql('SELECT 1'))).toBe('sql_not_allowed');
    expect(await outcome(client, { query: 'items' })).toHaveLength(2);
    for (const query of ['SELECT 1', 'toString', '__proto__', 'constructor', 'hasOwnProperty', ''])
      expect(await outcome(client, { query })).toMatch(/^(query_unknown|request_invalid|message_invalid)$/);
    for (const body of [{ sql: 'SELECT 1' }, { query: 'SELECT 1' }, { query: 'items', sql: 'SELECT 1' }]) {
      const response = await fetch(`${bench.url}/subscribe`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      expect(response.status).toBeGreaterThanOrEqual(400);
    }
    expect(await lastWords(bench.url, '{"query": "SELECT 1"}')).toMatch(
      /^error (sql_not_allowed|query_unknown)$/,
    );
  } finally {
    await bench.close();
  }
});

test('a text means to Postgres what it meant to the parser, whatever the settings of the database', async () => {
  const bench = await serve({ allowSql: true }, SCHEMA, [
    'ALTER DATABASE DATABASE_NAME SET standard_conforming_strings = off',
    `ALTER DATABASE DATABASE_NAME SET search_path = evil, pg_catalog, public`,
    'ALTER DATABASE DATABASE_NAME SET transform_null_equals = on',
    `ALTER DATABASE DATABASE_NAME SET backslash_quote = on`,
    `ALTER DATABASE DATABASE_NAME SET quote_all_identifiers = on`,
    `ALTER DATABASE DATABASE_NAME SET array_nulls = off`,
    'GRANT USAGE ON SCHEMA evil TO PUBLIC',
  ]);
  try {
    const client = bench.client();
    expect(
      await outcome(client, sql(String.raw`SELECT 'x\'', set_config($$a.b$$, $$c$$, false) --'`)),
    ).toEqual([{ '?column?': String.raw`x\', set_config($$a.b$$, $$c$$, false) --` }]);
    expect(
      await outcome(
        client,
        sql(String.raw`SELECT id, 'x\' AS x FROM item WHERE owner <> 'x\' ORDER BY id LIMIT 1`),
      ),
    ).toEqual([{ id: '1', x: 'x\\' }]);
    expect(await outcome(client, sql('SELECT upper(name) FROM item'))).toBe('function_not_allowed');
    expect(await outcome(client, sql('SELECT id FROM item WHERE owner = NULL'))).toEqual([]);
    expect(await outcome(client, sql('SELECT count(*) FROM item WHERE owner = NULL'))).toEqual([
      { count: '0' },
    ]);
    expect(await outcome(client, sql(`SELECT id FROM item WHERE owner = ANY ('{NULL,ada}')`))).toEqual([
      { id: '1' },
    ]);
  } finally {
    await bench.close();
  }
});

describe('who', () => {
  const roles = {
    ada: 'sluice_client',
    bob: 'sluice_client',
    none: 'none',
    None: 'None',
    super: 'postgres',
    nobody: 'no such role',
    quote: 'x"; RESET ROLE; --',
    empty: '',
  };
  const auth: SluiceConfig['auth'] = ({ token }) =>
    token !== undefined && Object.hasOwn(roles, token)
      ? { role: roles[token as keyof typeof roles], claims: { sub: token } }
      : null;
  let bench: Bench;
  beforeAll(async () => {
    bench = await serve({
      auth,
      allowSql: true,
      queries: {
        mine: {
          sql: `SELECT id, name FROM item WHERE owner = current_setting('request.jwt.claims')::json ->> 'sub' ORDER BY id`,
        },
        claims: { sql: `SELECT current_setting('request.jwt.claims')::json ->> 'sub' AS sub` },
        hidden: { sql: 'SELECT secret FROM hidden' },
        opaque: { sql: 'SELECT * FROM looks_guarded()' },
        seen: { sql: 'SELECT * FROM reads_guarded()' },
      },
    });
  });
  afterAll(() => bench.close());

  test('claims are part of what is shared', async () => {
    const [ada, bob] = [bench.client('ada'), bench.client('bob')];
    const views = [ada, bob].map((client) => client.live<{ id: string; name: string }>({ query: 'mine' }));
    const shown: Set<string>[] = [new Set(), new Set()];
    views.forEach((view, at) => view.subscribe(({ rows }) => rows.forEach((row) => shown[at]?.add(row.id))));
    await Promise.all(views.map((view) => view.ready));
    expect(await outcome(ada, { query: 'claims' })).toEqual([{ sub: 'ada' }]);
    expect(await outcome(bob, { query: 'claims' })).toEqual([{ sub: 'bob' }]);
    for (let id = 10; id < 30; id++)
      await bench.database.sql('INSERT INTO item VALUES ($1, $2)', [id, id % 2 ? 'ada' : 'bob']);
    await expect.poll(() => views.map((view) => view.rows.length)).toEqual([11, 11]);
    expect([...(shown[0] ?? [])].every((id) => Number(id) % 2 === 1)).toBe(true);
    expect([...(shown[1] ?? [])].every((id) => Number(id) % 2 === 0)).toBe(true);
    await bench.database.sql('DELETE FROM item WHERE id >= 10');
  });

  test.each(['none', 'None', 'super', 'nobody', 'quote', 'empty'])('as %s nothing is read', async (token) => {
    const client = bench.client(token);
    for (const ref of [
      sql('SELECT secret FROM hidden'),
      sql('SELECT id FROM item'),
      sql('SELECT count(*) FROM item'),
      { query: 'hidden' },
    ]) {
      const settled = await outcome(client, ref);
      // No name at all is a wrong answer of the application's; the others are roles that nobody may be.
      expect([ref, settled]).toEqual([ref, token === 'empty' ? 'auth_answer_invalid' : 'role_not_usable']);
    }
  });

  test('without a token nobody is served', async () => {
    const client = bench.client('guess');
    await expect.poll(() => client.status).toBe('failed');
    const response = await fetch(`${bench.url}/subscribe`, {
      method: 'POST',
      body: '{"query": "mine"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(401);
  });

  test('row security is refused, also behind views and functions, also when it comes later', async () => {
    const client = bench.client('ada');
    expect(await outcome(client, sql('SELECT * FROM over_guarded'))).toBe('row_security_refused');
    expect(await outcome(client, { query: 'seen' })).toBe('row_security_refused');
    expect(JSON.stringify(await outcome(client, { query: 'opaque' }))).not.toContain('canary');
    const open = ['SELECT id, name FROM item', 'SELECT count(*) FROM item'].map((text) =>
      client.live(sql(text)),
    );
    const named = client.live({ query: 'mine' });
    await Promise.all([...open, named].map((view: LiveView) => view.ready));
    await bench.database.sql('ALTER TABLE item ENABLE ROW LEVEL SECURITY');
    await expect
      .poll(() => [...open, named].map((view) => view.error?.code))
      .toEqual(Array(3).fill('row_security_refused'));
    await bench.database.sql('ALTER TABLE item DISABLE ROW LEVEL SECURITY');
  });
});

/** Long enough to open a view with them. */
const RIGHTS_MS = 6_000;

test('rights end when they expire', async () => {
  let ends: number | undefined; // from when they are given: a busy machine takes its time to get there
  const bench = await serve({
    allowSql: true,
    auth: ({ token }) => ({
      claims: {},
      expiresAt: token === 'old' ? 1_000 : new Date((ends ??= Date.now() + RIGHTS_MS)),
    }),
  });
  try {
    const old = bench.client('old');
    await expect.poll(() => old.status).toBe('failed');
    const soon = bench.client('soon');
    const view = await soon.live(sql('SELECT id FROM item')).ready;
    await expect.poll(() => [soon.status, view.status]).toEqual(['failed', 'error']);
    expect(Date.now()).toBeGreaterThanOrEqual((ends ?? Infinity) - 100);
    await bench.database.sql(`INSERT INTO item VALUES (3)`);
    expect(view.rows).toHaveLength(2);
  } finally {
    await bench.close();
  }
});

describe('what a name means may change', () => {
  let bench: Bench;
  let client: Client;
  beforeAll(async () => {
    bench = await serve({
      allowSql: true,
      queries: {
        factor: { sql: 'SELECT factor(id) AS x FROM item ORDER BY id' },
        said: { sql: 'SELECT said() AS x FROM item WHERE id = 1' },
        lower: { sql: 'SELECT lower(vc) AS x FROM item ORDER BY id' },
      },
    });
    client = bench.client();
  });
  afterAll(() => bench.close());

  test.each([
    [
      { query: 'factor' },
      `CREATE OR REPLACE FUNCTION factor(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i * 3'`,
      ['3', '6'],
    ],
    [
      { query: 'said' },
      `CREATE OR REPLACE FUNCTION said() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 2; END'`,
      ['2'],
    ],
    [
      sql('SELECT id AS x FROM odd'),
      `CREATE OR REPLACE VIEW odd AS SELECT id FROM item WHERE id % 2 = 0`,
      ['2'],
    ],
    [
      { query: 'lower' },
      `CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE sql STABLE AS 'SELECT ''mine'''`,
      ['mine', 'mine'],
    ],
  ])('%j is another answer after %s', async (ref, statement, rows) => {
    const view = await client.live<{ x: string }>(ref).ready;
    expect(view.rows.map(({ x }) => x)).not.toEqual(rows);
    await bench.database.sql(statement);
    await expect.poll(() => [view.status, ...view.rows.map(({ x }) => x)]).toEqual(['current', ...rows]);
  });

  test('and what was harmless ad hoc is refused when it no longer is', async () => {
    const [upper, untouched] = ['SELECT upper(vc) FROM item', 'SELECT id FROM item'].map((text) =>
      client.live(sql(text)),
    );
    await Promise.all([upper?.ready, untouched?.ready]);
    await bench.database.sql(
      `CREATE FUNCTION upper(varchar) RETURNS text LANGUAGE sql STABLE AS 'SELECT ''mine'''`,
    );
    await expect.poll(() => upper?.error?.code).toBe('function_not_allowed');
    expect(untouched?.status).toBe('current');
  });
});

test('other machines are not served unless told so', async () => {
  await expect(
    createSluice({ database: 'postgres://127.0.0.1/x', host: '0.0.0.0' }).listen(),
  ).rejects.toMatchObject({
    code: 'listen_not_loopback',
  });
});
