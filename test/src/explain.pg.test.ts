import { createClient, type Explanation, type LiveView } from '@sluice/client';
import { createSluice, type Sluice, type SluiceConfig } from '@sluice/server';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

// What a running server says of a query to who may subscribe to it, and to nobody else.

const ISSUES = 'SELECT id, title FROM issue WHERE project_id = $1';
const MATCHING = `SELECT id FROM issue WHERE title ~ $1`;

let database: TestDatabase;
let sluice: Sluice | null = null;

beforeAll(async () => {
  database = await sharedDatabase(
    `CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text NOT NULL);
     INSERT INTO issue SELECT n, n % 3, 'issue ' || n FROM generate_series(1, 30) n;
     CREATE TABLE secret (id int PRIMARY KEY)`,
  );
  await database.sql('REVOKE SELECT ON secret FROM sluice_client');
});
afterAll(() => database.drop());
afterEach(async () => {
  await sluice?.stop();
  sluice = null;
});

async function serve(config: SluiceConfig): Promise<string> {
  sluice = createSluice({
    database: database.url,
    port: 0,
    graceMs: 0,
    logLevel: 'silent',
    auth: ({ token }) => (token === undefined || token === 'nobody' ? null : { claims: { sub: token } }),
    queries: {
      issues: { sql: ISSUES, params: ['projectId'] },
      matching: { sql: MATCHING, params: ['text'] },
    },
    ...config,
  });
  return sluice.listen();
}

interface Api {
  readonly queries: {
    readonly issues: { readonly args: { readonly projectId: number }; readonly row: { id: number } };
  };
}

interface Said {
  readonly status: number;
  readonly body: unknown;
}

async function ask(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Said> {
  const response = await fetch(`${url}/explain`, {
    method: 'POST',
    headers: { authorization: 'Bearer ada', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
}

test('a server explains nothing unless it is told to', async () => {
  const url = await serve({ allowSql: true });
  expect(await ask(url, { query: 'issues', args: { projectId: 1 } })).toMatchObject({
    status: 404,
    body: { error: { code: 'explain_off' } },
  });
  const { client } = createClient({ url, token: 'ada' });
  await expect(client.explain({ sql: ISSUES, params: [1] })).rejects.toMatchObject({ code: 'explain_off' });
  await sluice?.stop();
  await expect(client.explain({ sql: ISSUES, params: [1] })).rejects.toMatchObject({
    code: 'connect_failed',
  });
  client.close();
  await expect(client.explain({ sql: ISSUES, params: [1] })).rejects.toMatchObject({ code: 'client_closed' });
});

test('the client asks with its token, also for a url with a path', async () => {
  const url = await serve({ explain: true, allowSql: true });
  let token = 'ada';
  const { client, queries } = createClient<Api>({ url, token: async () => Promise.resolve(token) });
  const explained: Explanation = await client.explain(queries.issues({ projectId: 1 }));
  expect(explained).toEqual((await ask(url, { query: 'issues', args: { projectId: 1 } })).body);
  const bySql = await client.explain({ sql: ISSUES, params: [1] });
  expect([bySql.template, bySql.tree]).toEqual([explained.template, explained.tree]);
  await expect(client.explain({ query: 'nope' })).rejects.toMatchObject({ code: 'query_unknown' });
  await expect(client.explain({ sql: 'SELECT * FROM secret' })).rejects.toMatchObject({
    code: 'read_not_permitted',
    hint: expect.stringMatching(/\w/) as string,
  });
  token = 'nobody';
  await expect(client.explain({ query: 'issues' })).rejects.toMatchObject({ code: 'unauthorized' });
  client.close();
});

test('what may not be subscribed to is not explained', async () => {
  const url = await serve({ explain: true });
  const refused = async (body: unknown, headers?: Record<string, string>): Promise<unknown> => {
    const said = await ask(url, body, headers);
    return [said.status, (said.body as { error: { code: string } }).error.code];
  };
  expect(await refused({ query: 'issues' }, { authorization: 'nothing' })).toEqual([401, 'unauthorized']);
  expect(await refused({ query: 'nope' })).toEqual([404, 'query_unknown']);
  expect(await refused({ sql: ISSUES })).toEqual([422, 'sql_not_allowed']);
  expect(await refused({ query: 'issues', sql: ISSUES })).toEqual([400, 'message_malformed']);
  await sluice?.stop();
  const open = await serve({ explain: true, allowSql: true });
  const of = async (sql: string): Promise<unknown> => (await ask(open, { sql })).body;
  for (const [sql, code] of [
    ['SELECT * FROM secret', 'read_not_permitted'],
    [`SELECT id FROM issue WHERE pg_sleep(60) IS NULL`, 'function_volatile'],
    ['DELETE FROM issue', 'select_only'],
  ] as const)
    expect([sql, await of(sql)]).toMatchObject([sql, { error: { code } }]);
});

test('two are explained at a time, a hundred wait, and others are told so and lose nothing by it', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  let asked = 0;
  const slow = async (): Promise<{ sql: string; params: readonly number[] }> => {
    asked++;
    await gate;
    return { sql: ISSUES, params: [1] };
  };
  const url = await serve({ explain: true, queries: { slow } });
  const most = 2 + 100;
  const refused: Said[] = [];
  const all = Array.from({ length: most + 7 }, () =>
    ask(url, { query: 'slow' }).then((said) => {
      if (said.status !== 200) refused.push(said);
      return said;
    }),
  );
  await expect.poll(() => refused.length).toBe(7);
  for (const said of refused)
    expect(said).toMatchObject({ status: 429, body: { error: { code: 'explains_too_many', retry: true } } });
  expect(asked).toBe(2);
  open();
  const answered = (await Promise.all(all)).filter(({ status }) => status === 200);
  expect([answered.length, asked]).toEqual([most, most]);
  expect(answered.every(({ body }) => (body as Explanation).gear === 'incremental')).toBe(true);
  expect(await ask(url, { query: 'slow' })).toMatchObject({ status: 200 });
});

test.each([false, true])('it says what the views have cost (views thread: %s)', async (viewsThread) => {
  const url = await serve({ explain: true, viewsThread });
  const unseen = await ask(url, { query: 'issues', args: { projectId: 1 } });
  expect(unseen).toMatchObject({
    status: 200,
    body: {
      gear: 'incremental',
      reason: null,
      parameters: ['int4'],
      lookups: [{ table: 'public.issue', columns: ['project_id'], index: null }],
      tree: ['project id, title', '  filter', '    project_id = $1', '  table public.issue'],
      estimate: { rows: expect.any(Number) as number, heldRows: expect.any(Number) as number },
      observed: null,
    },
  });
  expect(unseen.body).not.toHaveProperty('plan');

  const { client } = createClient({ url, token: 'bob' });
  try {
    const views: LiveView[] = [
      client.live({ query: 'issues', args: { projectId: 1 } }),
      client.live({ query: 'issues', args: { projectId: 2 } }),
      client.live({ query: 'matching', args: { text: 'new' } }),
    ];
    await Promise.all(views.map(({ ready }) => ready));
    for (let n = 0; n < 5; n++) {
      await database.sql(`INSERT INTO issue VALUES (${100 + n}, 1, 'new'), (${200 + n}, 0, 'new')`);
      const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      await client.reached((rows[0] as { lsn: string }).lsn, { timeoutMs: PATIENCE_MS });
    }
    await expect.poll(() => views.map(({ rows }) => rows.length)).toEqual([15, 10, 10]);

    const { body } = await ask(url, { query: 'issues', args: { projectId: 7 } });
    const { observed } = body as { observed: Record<string, unknown> };
    expect(observed).toMatchObject({
      views: 2,
      rerunViews: 0,
      handedOver: null,
      changes: 10,
      transactions: { count: 5 },
      misses: 0,
      heldRows: 15 + 10,
      toldRows: 10 + 10 + 5,
      reruns: { count: 0, totalMs: 0, p95Ms: null },
    });
    const { transactions, hydrations } = observed as Record<string, { totalMs: number; p95Ms: number }>;
    for (const timing of [transactions, hydrations])
      expect([timing && timing.totalMs > 0, timing && timing.p95Ms > 0]).toEqual([true, true]);

    const rerun = await ask(url, { query: 'matching', args: { text: 'x' } });
    expect(rerun.body).toMatchObject({
      gear: 'rerun',
      reason: expect.stringMatching(/\w/) as string,
      observed: { views: 1, rerunViews: 1, changes: 10, heldRows: 10, transactions: { count: 0 } },
    });
    const { reruns } = (rerun.body as { observed: { reruns: { count: number; totalMs: number } } }).observed;
    expect([reruns.count >= 2, reruns.totalMs > 0]).toEqual([true, true]);

    const { body: text } = await ask(
      url,
      { query: 'issues', args: { projectId: 1 } },
      { accept: 'text/plain' },
    );
    expect(text).toMatch(/^gear +incremental\n/);
    expect(text).toMatch(
      /\nviews +2 open, holding 25 rows in \d{4,} bytes\nchanges +10, in transactions 5, \S+ ms each/,
    );
    expect(text).toMatch(/\nplan\n {2}project id, title\n/);
  } finally {
    client.close();
    await database.sql('DELETE FROM issue WHERE id > 99');
  }
});

const NOTES = 'SELECT id, body FROM note WHERE project_id = $1';
const JOINED = `SELECT n.id, n.body FROM project p JOIN note n ON n.project_id = p.id WHERE p.id = $1`;

test.each([
  ['one table', NOTES],
  ['a join', JOINED],
])(
  'what keeps missing for want of values that are not sent is named, with what mends it: %s',
  async (_, sql) => {
    await database.sql(`
    CREATE TABLE project (id int PRIMARY KEY);
    CREATE TABLE note (id int PRIMARY KEY, project_id int, body text);
    ALTER TABLE note ALTER body SET STORAGE EXTERNAL;
    INSERT INTO project VALUES (1), (2); INSERT INTO note SELECT n, 2, repeat('x', 9000) FROM generate_series(1, 9) n`);
    await database.publish();
    const url = await serve({ explain: true, allowSql: true, pollMs: 50 });
    const { client } = createClient({ url, token: 'ada' });
    try {
      const view = client.live({ sql, params: [1] });
      await view.ready;
      const moveIn = async (note: number): Promise<void> => {
        await database.sql(`UPDATE note SET project_id = 1 WHERE id = ${note}`);
        await expect.poll(() => view.rows.length).toBe(note);
      };
      const said = async (): Promise<Explanation> =>
        (await ask(url, { sql, params: [1] })).body as Explanation;
      const remedy = 'ALTER TABLE public.note REPLICA IDENTITY FULL';
      const named = ({ hints }: Explanation): boolean => hints.some((hint) => hint.startsWith(remedy));

      await moveIn(1);
      await moveIn(2);
      const twice = await said();
      expect([twice.observed?.unsent, named(twice)]).toEqual([
        [{ table: 'public.note', misses: 2, remedy }],
        false,
      ]);
      await moveIn(3);
      const thrice = await said();
      expect(thrice.observed).toMatchObject({
        misses: 3,
        unsent: [{ table: 'public.note', misses: 3, remedy }],
      });
      expect(thrice.hints.filter((hint) => hint.startsWith(`${remedy}: views missed 3 times`))).toHaveLength(
        1,
      );
      const { body: text } = await ask(url, { sql, params: [1] }, { accept: 'text/plain' });
      expect(text).toMatch(/\nmisses +3\nunsent +3 of them for want of values of public\.note /);
      const { rows } = await database.sql(`SELECT 'note'::regclass::oid::int AS oid`);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      expect(metrics).toContain(
        `sluice_unsent_misses_total{table="${String((rows[0] as { oid: number }).oid)}"} 3\n`,
      );

      // A row that comes whole, one that is held, and one that goes: none of these lacks anything.
      await database.sql(`
      INSERT INTO note VALUES (10, 1, repeat('y', 9000)); UPDATE note SET id = 11 WHERE id = 10;
      UPDATE note SET project_id = 2 WHERE id = 11`);
      await expect.poll(() => view.rows.length).toBe(3);
      expect((await said()).observed?.misses).toBe(3);

      await database.sql(remedy);
      await expect.poll(async () => named(await said())).toBe(false);
      await moveIn(4);
      // Counted anew: with another identity of its table the plan is another one.
      expect((await said()).observed).toMatchObject({ misses: 0, unsent: [] });
    } finally {
      client.close();
      await database.sql('DROP TABLE note, project');
    }
  },
);
