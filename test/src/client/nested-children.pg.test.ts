import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient, type Client, type LiveView } from '@sluice/client';
import { createSluice, query, type Sluice } from '@sluice/server';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { relations } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { Kysely, PostgresDialect, type Generated } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import pg from 'pg';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { observedSocket } from '../judge/observed-socket.js';
import { TcpProxy } from '../kit/tcp-proxy.js';

/*
 * A row with a thousand children in it: one is added, changed or removed, and less than 1 kB travels, and the other
 * children stay who they are; however the query is written, and however it is maintained.
 */

const CHILDREN = 1000;
const SETUP = `
  CREATE TABLE issue (id int PRIMARY KEY, title text NOT NULL, notes text NOT NULL DEFAULT repeat('Noted. ', 2000));
  CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL, author text NOT NULL, body text NOT NULL,
    at timestamptz NOT NULL, votes numeric NOT NULL DEFAULT 1.50);
  CREATE INDEX ON comment (issue_id);
  CREATE TABLE document (id int PRIMARY KEY, doc jsonb NOT NULL);
  INSERT INTO issue SELECT i, 'Issue ' || i FROM generate_series(1, 3) i;
  INSERT INTO comment SELECT i, 1, (ARRAY['Ada', 'Grace', 'Edsger'])[1 + i % 3], 'I think “' || i * 7919 % 1009 || '” 😀, ' || E'and\\nmore.',
    timestamptz '2024-02-29 12:00:00.5Z' + i * interval '1 minute' FROM generate_series(1, ${CHILDREN}) i;
  INSERT INTO document SELECT 1, jsonb_build_object('comments', jsonb_agg(to_jsonb(c) - 'issue_id' ORDER BY id)) FROM comment c`;

const issue = pgTable('issue', {
  id: integer().primaryKey(),
  title: text().notNull(),
  notes: text().notNull(),
});
const comment = pgTable('comment', {
  id: integer().primaryKey(),
  issueId: integer('issue_id').notNull(),
  author: text().notNull(),
  body: text().notNull(),
  at: timestamp({ withTimezone: true }).notNull(),
});
const schema = {
  issue,
  comment,
  issueRelations: relations(issue, ({ many }) => ({ comments: many(comment) })),
  commentRelations: relations(comment, ({ one }) => ({
    issue: one(issue, { fields: [comment.issueId], references: [issue.id] }),
  })),
};

interface Tables {
  issue: { id: number; title: string; notes: string };
  comment: { id: Generated<number>; issue_id: number; author: string; body: string; at: Date; votes: string };
}

let database: TestDatabase;
let pool: pg.Pool;
let sluice: Sluice<unknown>;
let url: string;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  pool = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  const db = drizzle(pool, { schema });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  sluice = createSluice({
    database: database.url,
    port: 0,
    allowSql: true,
    logLevel: 'silent',
    graceMs: 0,
    queries: {
      drizzle: query(() => db.query.issue.findMany({ with: { comments: true } })),
      kysely: query(() =>
        kysely
          .selectFrom('issue')
          .select((eb) => [
            'issue.id',
            'issue.notes',
            jsonArrayFrom(
              eb
                .selectFrom('comment')
                .selectAll()
                .whereRef('comment.issue_id', '=', 'issue.id')
                .orderBy('comment.id'),
            ).as('comments'),
          ])
          .where('issue.id', '=', 1),
      ),
      tagged: {
        sql: `SELECT json_agg(c ORDER BY c.at DESC) AS comments, count(*) AS n FROM comment c WHERE issue_id = 1`,
      },
      recursive: {
        sql: `SELECT i.id, (WITH RECURSIVE c AS (SELECT * FROM comment WHERE issue_id = i.id UNION SELECT * FROM c WHERE false)
          SELECT jsonb_agg(to_jsonb(c) ORDER BY c.id) FROM c) AS comments FROM issue i ORDER BY id DESC`,
      },
      document: { sql: `SELECT id, doc FROM document WHERE id = 1` },
    },
  });
  url = await sluice.listen();
});

afterAll(async () => {
  await sluice?.stop();
  await pool?.end();
  await database?.drop();
});

interface Child {
  readonly id: number;
  readonly body: string;
}

type RowOf = Readonly<Record<string, unknown>>;

/** Where the children are in the rows of each query. */
const CHILDREN_OF: Readonly<Record<string, (rows: readonly RowOf[]) => readonly Child[]>> = {
  drizzle: (rows) => rows.find((row) => row['id'] === 1)?.['comments'] as Child[],
  recursive: (rows) => rows.find((row) => row['id'] === 1)?.['comments'] as Child[],
  kysely: ([row]) => row?.['comments'] as Child[],
  tagged: ([row]) => row?.['comments'] as Child[],
  document: ([row]) => (row?.['doc'] as { readonly comments: readonly Child[] } | undefined)?.comments ?? [],
};

/** How a child comes, changes and goes: for a document also in the document itself. */
const ADD = `
  INSERT INTO comment VALUES (5000, 1, 'Barbara', 'What about “this”?', '2025-01-01Z');
  UPDATE document SET doc = jsonb_insert(doc, '{comments,500}', '{"id": 5000, "body": "What about “this”?", "author": "Barbara"}')`;
const CHANGE = `
  UPDATE comment SET body = body || ' Changed.' WHERE id = 300;
  UPDATE document SET doc = jsonb_set(doc, '{comments,299,body}', '"Changed."')`;
const REMOVE = `
  DELETE FROM comment WHERE id = 700;
  UPDATE document SET doc = doc #- '{comments,700}'`;
const RESTORE = `
  DELETE FROM comment; DELETE FROM document;
  INSERT INTO comment SELECT i, 1, (ARRAY['Ada', 'Grace', 'Edsger'])[1 + i % 3], 'I think “' || i * 7919 % 1009 || '” 😀, ' || E'and\\nmore.',
    timestamptz '2024-02-29 12:00:00.5Z' + i * interval '1 minute' FROM generate_series(1, ${CHILDREN}) i;
  INSERT INTO document SELECT 1, jsonb_build_object('comments', jsonb_agg(to_jsonb(c) - 'issue_id' ORDER BY id)) FROM comment c`;

/** Waits until it does not throw. */
function eventually(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 5 });
}

/** A frame of a WebSocket has a head of at most so many bytes, for what is short enough here. */
const FRAME_BYTES = 4;

interface Watched {
  readonly client: Client;
  readonly live: LiveView<RowOf>;
  /** The children; none before the first rows. */
  shown(): readonly Child[];
  /** Bytes since it was asked last. */
  bytes(): number;
  readonly kinds: Set<string>;
}

function watch(name: string, at: string = url): Watched {
  const kinds = new Set<string>();
  let bytes = 0;
  const Observed = observedSocket({
    handled: (message) => {
      bytes += Buffer.byteLength(message) + FRAME_BYTES;
      const { kind, ops = [] } = JSON.parse(message) as { kind: string; ops?: [string][] };
      kinds.add(kind);
      for (const [op] of ops) kinds.add(op);
    },
  });
  const { client, queries } = createClient({
    url: at,
    WebSocket: Observed,
    backoff: { firstMs: 20, maxMs: 100 },
  });
  onTestFinished(() => client.close());
  const live = client.live(
    (queries as Readonly<Record<string, () => never>>)[name]?.() as never,
  ) as LiveView<RowOf>;
  live.subscribe(() => undefined);
  const taken = (): number => {
    const since = bytes;
    bytes = 0;
    return since;
  };
  const shown = (): readonly Child[] => (live.rows.length > 0 ? (CHILDREN_OF[name]?.(live.rows) ?? []) : []);
  return { client, live, shown, bytes: taken, kinds };
}

/** Makes the children what they were at the beginning; resolves when they are shown so. */
async function restore({ client, live }: Watched): Promise<void> {
  await database.sql(RESTORE);
  const { rows } = await database.sql('SELECT pg_current_wal_lsn()::text AS lsn');
  await eventually(() => expect(live.status).toBe('current'));
  await client.reached((rows as readonly { readonly lsn: string }[])[0]?.lsn ?? '');
}

test.each(Object.keys(CHILDREN_OF))('%s: one child of a thousand comes, changes, goes', async (name) => {
  const watched = watch(name);
  const { live, bytes, kinds, shown } = watched;
  await restore(watched);
  expect(shown().length).toBe(CHILDREN);
  if (name === 'recursive') expect(live.gear).toBe('rerun');
  if (name === 'document') expect(live.gear).toBe('incremental');
  expect(bytes()).toBeGreaterThan(100_000);

  let before = shown();
  await database.sql(ADD);
  await eventually(() => expect(shown().length).toBe(CHILDREN + 1));
  const [added] = shown().filter((child) => !before.includes(child));
  expect(added).toMatchObject({ id: 5000, body: 'What about “this”?' });
  expect(before.every((child) => shown().includes(child))).toBe(true);
  expect(bytes()).toBeLessThan(1000);

  before = shown();
  await database.sql(CHANGE);
  await eventually(() => expect(shown().find(({ id }) => id === 300)?.body).toMatch(/Changed\.$/));
  expect(
    shown()
      .filter((child) => !before.includes(child))
      .map(({ id }) => id),
  ).toEqual([300]);
  expect(before.filter((child) => !shown().includes(child)).map(({ id }) => id)).toEqual([300]);
  expect(bytes()).toBeLessThan(1000);

  before = shown();
  await database.sql(REMOVE);
  await eventually(() => expect(shown().length).toBe(CHILDREN));
  expect(shown().every((child) => before.includes(child))).toBe(true);
  expect(before.filter((child) => !shown().includes(child)).map(({ id }) => id)).toEqual([700]);
  expect(bytes()).toBeLessThan(1000);
  expect(kinds.has('edit')).toBe(true);

  // What came by edits is what another gets whole.
  const other = watch(name);
  await eventually(() => expect(other.live.rows.length).toBe(live.rows.length));
  expect(other.live.rows).toEqual(live.rows);
});

test('a client that was away, and whose rows the server still remembers, gets what changed of them', async () => {
  const { port } = new URL(url);
  const proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: Number(port) }));
  onTestFinished(() => proxy.close());
  const watched = watch('kysely', `http://127.0.0.1:${proxy.port}`);
  const { live, bytes, kinds, shown } = watched;
  await restore(watched);
  const before = shown();
  const stays = watch('kysely');
  await eventually(() => expect(stays.live.rows.length).toBe(1));
  bytes();
  kinds.clear();
  proxy.cut();
  await eventually(() => expect(live.status).not.toBe('current'));
  await database.sql(ADD);
  await database.sql(CHANGE);
  await eventually(() => expect(shown().length).toBe(CHILDREN + 1));
  await eventually(() => expect(shown().find(({ id }) => id === 300)?.body).toMatch(/Changed\.$/));
  expect(live.rows).toEqual(stays.live.rows);
  expect(before.filter((child) => !shown().includes(child)).map(({ id }) => id)).toEqual([300]);
  expect(kinds.has('rows') || kinds.has('difference')).toBe(false);
  expect(bytes()).toBeLessThan(4000);
});

/** Each test has a view of its own, so that none begins where another ended. */
const sqlOf = (
  below: number,
): string => `SELECT id, title, (SELECT json_agg(c ORDER BY c.id) FROM comment c WHERE c.issue_id = i.id) AS comments
  FROM issue i WHERE id < ${below} ORDER BY id`;

type Message = Record<string, unknown> & {
  readonly kind?: string;
  readonly ops?: readonly (readonly unknown[])[];
};

/** A client of a few lines. */
async function dial(...first: readonly unknown[]): Promise<readonly Message[]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  onTestFinished(() => socket.close());
  const heard: Message[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(String(data)) as Message));
  await once(socket, 'open');
  for (const message of first) socket.send(JSON.stringify(message));
  return heard;
}

/** What the query answers now, as plain results show it. */
async function truth(sql: string): Promise<unknown> {
  const { rows } = await database.sql(`SELECT json_agg(q)::text AS all FROM (${sql}) q`);
  return JSON.parse((rows as readonly { readonly all: string }[])[0]?.all ?? '');
}

const opsOf = (heard: readonly Message[]): unknown[] =>
  heard.flatMap(({ ops = [] }) => ops.map(([op]) => op));

test('clients that say nothing of edits get the whole row, those of whole results the whole result', async () => {
  await database.sql(RESTORE);
  const sql = sqlOf(2);
  const subscribe = { kind: 'subscribe', id: 1, sql };
  const plain = await dial({ sql });
  const edits = await dial({ kind: 'hello', versions: [1], edits: true }, subscribe);
  const edited = (): unknown[] => opsOf(edits);
  await eventually(() => expect(edits.some(({ kind }) => kind === 'move')).toBe(true));
  await database.sql(ADD);
  await eventually(() => expect(edited()).toEqual(['edit']));
  // This one comes when the version before had nobody who needs it whole.
  const whole = await dial({ kind: 'hello', versions: [1] }, subscribe);
  await eventually(() => expect(whole.some(({ kind }) => kind === 'move')).toBe(true));
  await database.sql(CHANGE);
  await eventually(() => expect(edited()).toEqual(['edit', 'edit']));
  await eventually(() => expect(opsOf(whole)).toEqual(['put']));
  const expected = await truth(sql);
  await eventually(() => expect(plain.at(-1)?.['rows']).toEqual(expected));
  const [put] = whole.flatMap(({ ops = [] }) => ops) as [string, string, string[]][];
  expect(JSON.parse(put?.[2][2] ?? '')).toEqual((expected as RowOf[])[0]?.['comments']);
});

async function events(sql: string, query: string): Promise<Message[]> {
  const answer = await fetch(`${url}/subscribe`, { method: 'POST', body: JSON.stringify({ sql }) });
  const { subscription_id: id } = (await answer.json()) as { readonly subscription_id: string };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(`${url}/subscriptions/${id}/events${query}`, { signal: stop.signal });
  const heard: Message[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (data !== undefined)
          heard.push({ bytes: Buffer.byteLength(part) + 2, ...(JSON.parse(data) as Message) });
      }
    }
  };
  read().catch(() => undefined);
  return heard;
}

test('event streams: edits for those that ask for them', async () => {
  await database.sql(RESTORE);
  const sql = sqlOf(3);
  const [edits, whole, rows] = [
    await events(sql, '?mode=deltas&edits=true'),
    await events(sql, '?mode=deltas'),
    await events(sql, ''),
  ];
  const moved = (heard: readonly Message[]): boolean => heard.some(({ kind }) => kind === 'move');
  await eventually(() => expect([moved(edits), moved(whole), rows.length > 0]).toEqual([true, true, true]));
  const seen = edits.length;
  await database.sql(ADD);
  await eventually(() => expect([opsOf(edits), opsOf(whole)]).toEqual([['edit'], ['put']]));
  await eventually(() => expect(edits.at(-1)?.kind).toBe('move'));
  expect(edits.slice(seen).reduce((sum, { bytes }) => sum + Number(bytes), 0)).toBeLessThan(1000);
  const expected = await truth(sql);
  await eventually(() => expect(rows.at(-1)?.['rows']).toEqual(expected));
});

const PYTHON = fileURLToPath(new URL('../../python/sse_client.py', import.meta.url));

test.runIf(spawnSync('python3', ['--version']).status === 0)('the Python client applies edits', async () => {
  await database.sql(RESTORE);
  const child = spawn('python3', [PYTHON, url.replace(/\/sluice$/, '')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGTERM'));
  child.stdin.end(JSON.stringify([{ sql: sqlOf(4), params: [] }]));
  let rows: readonly (readonly string[])[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { views } = JSON.parse(line) as { readonly views: readonly { readonly rows?: typeof rows }[] };
    rows = views[0]?.rows ?? rows;
  });
  const bodies = (): string[] => {
    const children = JSON.parse(rows[0]?.[2] ?? '[]') as readonly Child[];
    return children.map(({ body }) => body);
  };
  const own = async (): Promise<string[]> => {
    const { rows: all } = await database.sql('SELECT body FROM comment ORDER BY id');
    return (all as readonly Child[]).map(({ body }) => body);
  };
  await eventually(() => expect(rows.length).toBe(3));
  for (const change of [ADD, CHANGE, REMOVE]) {
    await database.sql(change);
    const expected = await own();
    await eventually(() => expect(bodies()).toEqual(expected));
  }
});
