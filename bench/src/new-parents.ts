/**
 * What the commonest write of an application with nested queries costs: a row that others hang on is inserted into a
 * live query of 1,000 issues, each with its comments and labels as JSON. Nobody knows yet what hangs on the new row.
 *
 *   npm run bench:new-parents [-- ISSUES [ROUNDS]]        (default: 1000 41)
 *
 * Method: a real Postgres, `sluice start` in a process of its own, and a client of it over the socket. In turn an issue
 * is inserted alone, an issue with a comment in one transaction, and, as what it costs where everything is known, a
 * comment to an issue that is held. The time is from the moment at which the transaction is sent to the moment at which
 * the client shows what it did; PAUSE_MS lies between two. The rows are those that Postgres's scans of the tables read
 * meanwhile, by its own statistics, for each transaction of the kind. Checked outside the timed part: the query is
 * maintained incrementally, and shows in the end what Postgres answers. Reported: medians, with the spread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@sluice/client';
import { must } from '@sluice/core/assert';
import { createTestDatabase, startTestPostgres } from '@sluice/server/testing/postgres';
import { Served } from '@sluice/server/testing/served';

const ISSUES = Number(process.argv[2] ?? 1000);
const ROUNDS = Number(process.argv[3] ?? 41);
const COMMENTS_EACH = 5;
const LABELS = 20;
const PAUSE_MS = 20;
const SETTLE_MS = 60_000;
const STATISTICS_MS = 12_000;

const QUERY = `SELECT i.id, i.title, c.comments, l.labels FROM issue i
  LEFT JOIN LATERAL (SELECT coalesce(json_agg(json_build_object('id', c.id, 'body', c.body) ORDER BY c.id), '[]') AS comments
    FROM comment c WHERE c.issue_id = i.id) c ON true
  LEFT JOIN LATERAL (SELECT coalesce(json_agg(json_build_object('id', l.id, 'name', l.name) ORDER BY l.id), '[]') AS labels
    FROM issue_label il JOIN label l ON l.id = il.label_id WHERE il.issue_id = i.id) l ON true
  WHERE i.project_id = $1 ORDER BY i.id`;

const server = await startTestPostgres({ settings: { synchronous_commit: 'off', autovacuum: 'off' } });
const database = await createTestDatabase(
  server,
  `CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text NOT NULL);
   CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL, body text NOT NULL);
   CREATE TABLE label (id int PRIMARY KEY, name text NOT NULL);
   CREATE TABLE issue_label (issue_id int, label_id int, PRIMARY KEY (issue_id, label_id));
   CREATE INDEX ON issue (project_id); CREATE INDEX ON comment (issue_id);
   INSERT INTO issue SELECT n, n / ${ISSUES}, 'Issue ' || n FROM generate_series(0, ${10 * ISSUES - 1}) n;
   INSERT INTO comment SELECT n, n / ${COMMENTS_EACH}, repeat(md5(n::text), 3) FROM generate_series(0, ${10 * ISSUES * COMMENTS_EACH - 1}) n;
   INSERT INTO label SELECT n, 'label ' || n FROM generate_series(0, ${LABELS - 1}) n;
   INSERT INTO issue_label SELECT n, (n + k) % ${LABELS} FROM generate_series(0, ${10 * ISSUES - 1}) n, generate_series(0, 1) k;
   ANALYZE;`,
);
const served = await Served.run(['start', '--allow-sql'], { DATABASE_URL: database.url });
const { client } = createClient({ url: await served.ready(), values: 'text' });
const query = client.live({ sql: QUERY, params: ['0'] });
await query.ready;

interface Shown {
  readonly id: string;
  readonly comments: string;
}
let next = 10_000_000;
const find = (id: number): Shown | undefined =>
  (query.rows as readonly unknown[] as readonly Shown[]).findLast((row) => row.id === String(id));

/** Each sends one transaction, and says when its effect is shown. */
const KINDS: Readonly<Record<string, () => { readonly sql: string; readonly isShown: () => boolean }>> = {
  'a new issue': () => {
    const id = next++;
    return { sql: `INSERT INTO issue VALUES (${id}, 0, 'New ${id}')`, isShown: () => find(id) !== undefined };
  },
  'a new issue with a comment': () => {
    const id = next++;
    return {
      sql: `WITH i AS (INSERT INTO issue VALUES (${id}, 0, 'New ${id}')) INSERT INTO comment VALUES (${id}, ${id}, 'First.')`,
      isShown: () => find(id)?.comments.includes('First.') === true,
    };
  },
  'a comment to an old issue': () => {
    const id = next++;
    const issue = id % ISSUES;
    return {
      sql: `INSERT INTO comment VALUES (${id}, ${issue}, 'One more ${id}.')`,
      isShown: () => find(issue)?.comments.includes(`One more ${id}.`) === true,
    };
  },
};

console.log(`${ISSUES} issues, ${COMMENTS_EACH} comments and 2 labels each`);
console.log('transaction                      ms to the client (min–max)   rows read of tables');
for (const [name, kind] of Object.entries(KINDS)) {
  for (let round = 0; round < 5; round++) await shownAfterMs(kind()); // for the compiler
  const before = await rowsRead();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push(await shownAfterMs(kind()));
    await delay(PAUSE_MS);
  }
  const rows = ((await rowsRead()) - before) / ROUNDS;
  console.log(`${name.padEnd(30)} ${spread(times).padStart(29)}   ${rows.toFixed(1).padStart(19)}`);
}
await check();
client.close();
await served.stop();
await database.drop();
await server.destroy();

async function shownAfterMs({ sql, isShown }: ReturnType<(typeof KINDS)[string]>): Promise<number> {
  const start = performance.now();
  const shown = new Promise<number>((resolve) => {
    const stop = query.subscribe(() => {
      if (!isShown()) return;
      stop();
      resolve(performance.now() - start);
    });
  });
  await database.sql(sql);
  return shown;
}

/** Sessions that are idle tell their statistics after ten seconds. */
async function rowsRead(): Promise<number> {
  await delay(STATISTICS_MS);
  const { rows } = await database.sql(
    'SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint AS read FROM pg_stat_user_tables',
  );
  return Number(must(rows[0], 'a sum')['read']);
}

async function check(): Promise<void> {
  const text = (rows: readonly unknown[]): string =>
    rows.map((row) => JSON.stringify(Object.values(row as object).map(plain))).join();
  const truth = text((await database.sql(QUERY, ['0'])).rows);
  const start = performance.now();
  while (text(query.rows) !== truth && performance.now() - start < SETTLE_MS) await delay(10);
  if (text(query.rows) !== truth) throw new Error('the client does not show what Postgres answers');
  if (query.gear !== 'incremental') throw new Error('not maintained incrementally');
  console.log('equal to Postgres');
}

function plain(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('[')
    ? (JSON.parse(value) as unknown)
    : typeof value === 'number'
      ? String(value)
      : value;
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (place: number): string => must(sorted.at(place), 'a time').toFixed(1);
  return `${at(sorted.length >> 1)} (${at(0)}–${at(-1)})`;
}
