import { afterEach, beforeEach, expect, test } from 'vitest';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { startViews, type FollowedView, type RunningViews } from '../testing/views.js';

// C12: reads take longer than it takes the next transaction to overtake them, all the time. Of a hundred jobs four run,
// those after `i`; each transaction ends one and begins the next, whose payload is long and not sent.

const LATENCY_MS = 10;
const JOBS = 100;
const RUNNING = 4;

let database: TestDatabase;
let proxy: TcpProxy;
let views: RunningViews;

beforeEach(async () => {
  database = await sharedDatabase(`
    CREATE TABLE job (id int PRIMARY KEY, status text NOT NULL, payload text NOT NULL);
    ALTER TABLE job ALTER payload SET STORAGE EXTERNAL;
    INSERT INTO job SELECT n, CASE WHEN n < ${RUNNING} THEN 'running' ELSE 'waiting' END, repeat(md5(n::text), 100)
      FROM generate_series(0, ${JOBS - 1}) n;`);
  const url = new URL(database.url);
  proxy = await TcpProxy.start(Number(url.port), LATENCY_MS);
  url.port = String(proxy.port);
  views = await startViews(database, {}, { readUrl: url.toString() });
});
afterEach(async () => {
  await views.stop();
  expect(views.events.filter((event) => event.kind === 'failed')).toEqual([]);
  await proxy.close();
  await database.drop();
});

/** Writes until told to stop: about one commit in a millisecond or two, from one session. */
async function write(commits: number): Promise<void> {
  await database.sql(`DO $$ BEGIN FOR i IN 0..${commits - 1} LOOP
      UPDATE job SET status = CASE status WHEN 'running' THEN 'waiting' ELSE 'running' END
        WHERE id IN (i % ${JOBS}, (i + ${RUNNING}) % ${JOBS});
      COMMIT; PERFORM pg_sleep(0.0005);
    END LOOP; END $$`);
}

/** Looks at each answer that the view has while the work goes on. */
async function answersDuring(
  view: FollowedView,
  work: Promise<void>,
  look: (rows: unknown[]) => void,
): Promise<number> {
  const state = { over: false };
  const done = work.then(() => (state.over = true));
  let answers = 0;
  while (!state.over) {
    const before = view.operations;
    await Promise.race([view.until(() => view.operations > before), done]);
    if (view.operations === before) continue;
    answers++;
    look(view.rows);
  }
  return answers;
}

const idsOf = (rows: unknown[]): number[] =>
  rows.map((row) => Number((row as string[])[0])).sort((a, b) => a - b);

/** Four neighbours, around the end if need be: the state after some transaction, and of no other moment. */
function expectOneState(rows: unknown[]): void {
  const ids = idsOf(rows);
  const first = ids.find((id) => !ids.includes((id + JOBS - 1) % JOBS)) ?? 0;
  const neighbours = Array.from({ length: RUNNING }, (_, n) => (first + n) % JOBS);
  expect(ids).toEqual(neighbours.sort((a, b) => a - b));
}

test('a view that misses at each transaction has a new answer after nearly every read, and is read less often', async () => {
  const running = await views.open('SELECT id, payload FROM job WHERE status = $1', ['running']);
  expect(running.gear).toBe('incremental');
  await running.until(() => running.state === 'valid');
  const answers = await answersDuring(running, write(2500), expectOneState);
  const reads = views.events.filter(({ kind }) => kind === 'hydrated').length;
  expect(reads).toBeGreaterThan(5);
  expect(answers).toBeGreaterThan(reads / 2);
  expect(views.events).toContainEqual({ kind: 'restless', template: expect.any(String) as string });
  expect(views.host.status().restless).toBe(1);

  // Quiet again: it catches up, and follows the stream without a read.
  await running.until(() => running.state === 'valid' && idsOf(running.rows).join() === '0,1,2,3');
  await expect.poll(() => views.host.status().restless).toBe(0);
  const readsThen = views.events.filter(({ kind }) => kind === 'hydrated').length;
  await database.sql(`UPDATE job SET payload = 'short' WHERE id = 2`);
  await running.until(() => running.rows.some((row) => (row as string[])[1] === 'short'));
  expect(views.events.filter(({ kind }) => kind === 'hydrated')).toHaveLength(readsThen);
});

test('a view that is re-run has a new answer after nearly every run', async () => {
  const sum = await views.open(
    `SELECT count(*), sum(id) FILTER (WHERE status = 'running') FROM job WHERE status ~ 'running'`,
  );
  expect(sum.gear).toBe('rerun');
  await sum.until(() => sum.state === 'valid');
  const answers = await answersDuring(sum, write(2500), ([row]) => {
    const [count, total] = row as string[];
    expect(count).toBe(String(RUNNING));
    const first = Number(total) / RUNNING - (RUNNING - 1) / 2;
    expect(Number.isInteger(first) || Number(total) > JOBS - RUNNING).toBe(true);
  });
  const runs = views.events.filter(({ kind }) => kind === 'reran').length;
  expect(runs).toBeGreaterThan(5);
  expect(answers).toBeGreaterThan(runs / 2);
});
