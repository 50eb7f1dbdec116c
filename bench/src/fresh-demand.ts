/**
 * Whether a view that misses at every transaction falls behind without end: 10,000 transactions a second are committed,
 * each of which moves an issue to an assignee whose row nobody holds.
 *
 *   npm run bench:fresh-demand [-- RATE [SECONDS]]        (default: 10000 60)
 *
 * Method: a real Postgres, `sluice start` in a process of its own, and a client of it over the socket, with two live
 * queries: the join whose every change is fresh demand, and beside it one whose changes are none. WRITERS sessions commit
 * at a steady pace, of 20 transactions at a time, each of one row that carries the time. The lag is how old the latest
 * time is that the client shows, looked at every 100 ms. Printed: the rate that was reached, and for each tenth of the
 * run the greatest lag of both queries and what the server holds in memory. Afterwards, once the writers have stopped,
 * both queries have to show what Postgres answers, which is the check.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@sluice/client';
import { must } from '@sluice/core/assert';
import { createTestDatabase, startTestPostgres } from '@sluice/server/testing/postgres';
import { Served } from '@sluice/server/testing/served';

const RATE = Number(process.argv[2] ?? 10_000);
const SECONDS = Number(process.argv[3] ?? 60);
const WRITERS = 2;
const ISSUES = 200;
const PERSONS = 200_000;
const LOOK_MS = 100;
const SETTLE_MS = 60_000;

const MISSING = `SELECT i.id, i.at, p.name FROM issue i JOIN person p ON p.id = i.assignee_id WHERE i.project_id = $1`;
const STEADY = 'SELECT id, at FROM issue WHERE project_id = $1';

const server = await startTestPostgres({ settings: { synchronous_commit: 'off', max_wal_size: '4GB' } });
const database = await createTestDatabase(
  server,
  `CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL);
   CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, assignee_id int NOT NULL, at bigint NOT NULL)
     WITH (fillfactor = 50);
   INSERT INTO person SELECT n, 'person ' || n FROM generate_series(0, ${PERSONS - 1}) n;
   INSERT INTO issue SELECT n, 1, n, 0 FROM generate_series(0, ${ISSUES - 1}) n;
   ANALYZE;`,
);
const served = await Served.run(['start', '--allow-sql'], { DATABASE_URL: database.url });
const { client } = createClient({ url: await served.ready(), values: 'text' });
const queries = [MISSING, STEADY].map((sql) => client.live({ sql, params: ['1'] }));
await Promise.all(queries.map((query) => query.ready));
await database.sql('UPDATE issue SET at = extract(epoch FROM clock_timestamp()) * 1000');
while (queries.some(({ rows }) => lagMs(rows) > SETTLE_MS)) await delay(10);

interface Look {
  readonly lagsMs: readonly number[];
  readonly serverBytes: number;
}
const looks: Look[] = [];
const began = performance.now();
const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
const state = { over: false };
void writing.then(() => (state.over = true));
while (!state.over) {
  await delay(LOOK_MS);
  looks.push({ lagsMs: queries.map(({ rows }) => lagMs(rows)), serverBytes: await residentBytes() });
}
const tookMs = performance.now() - began;
const written = (await writing).reduce((sum, count) => sum + count, 0);
report();
await settled();
client.close();
await served.stop();
await database.drop();
await server.destroy();

/** One session: a paced loop inside Postgres, each turn of it a transaction. @returns how many were committed */
async function write(writer: number): Promise<number> {
  const count = (RATE * SECONDS) / WRITERS;
  await database.sql(`DO $$ DECLARE began timestamptz := clock_timestamp(); wait double precision; BEGIN
    FOR n IN 0..${count - 1} LOOP
      UPDATE issue SET assignee_id = (${ISSUES} + n::bigint * ${WRITERS} + ${writer}) % ${PERSONS},
        at = extract(epoch FROM clock_timestamp()) * 1000 WHERE id = (n * ${WRITERS}) % ${ISSUES} + ${writer};
      COMMIT;
      IF n % 20 = 0 THEN
        wait := n / ${RATE / WRITERS}.0 - extract(epoch FROM clock_timestamp() - began);
        IF wait > 0 THEN PERFORM pg_sleep(wait); END IF;
      END IF;
    END LOOP; END $$`);
  return count;
}

/** The same clock on one machine. */
function lagMs(rows: readonly unknown[]): number {
  return Date.now() - Math.max(0, ...rows.map((row) => Number((row as { at: string }).at)));
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${served.pid}/status`, 'utf8');
  return Number(must(/VmRSS:\s+(\d+)/.exec(status)?.[1], 'resident memory')) * 1024;
}

function report(): void {
  console.log(
    `${written} transactions in ${(tookMs / 1000).toFixed(1)} s: ${Math.round(written / (tookMs / 1000))} a second`,
  );
  console.log('  seconds   lag of the one that misses, ms (median, max)   of the steady one   server MB');
  const size = Math.ceil(looks.length / 10);
  for (let from = 0; from < looks.length; from += size) {
    const part = looks.slice(from, from + size);
    const lags = (at: number): string => {
      const sorted = part.map((look) => look.lagsMs[at] ?? 0).toSorted((a, b) => a - b);
      return `${sorted[sorted.length >> 1] ?? 0}, ${sorted.at(-1) ?? 0}`;
    };
    const megabytes = Math.max(...part.map(({ serverBytes }) => serverBytes)) / 2 ** 20;
    const seconds = `${((from * tookMs) / looks.length / 1000).toFixed(0)}`;
    console.log(
      `${seconds.padStart(9)} ${lags(0).padStart(48)} ${lags(1).padStart(19)} ${megabytes.toFixed(0).padStart(11)}`,
    );
  }
}

/** What the client shows is what Postgres answers. */
async function settled(): Promise<void> {
  const start = performance.now();
  const truths = await Promise.all([MISSING, STEADY].map((sql) => database.sql(sql, ['1'])));
  const text = (rows: readonly unknown[]): string =>
    rows
      .map((row) => JSON.stringify(Object.values(row as object).map(String)))
      .toSorted((a, b) => (a < b ? -1 : 1))
      .join();
  const differs = (): boolean =>
    truths.some(({ rows }, at) => text(rows) !== text(must(queries[at], 'a query').rows));
  while (differs() && performance.now() - start < SETTLE_MS) await delay(10);
  if (differs()) throw new Error('the client does not show what Postgres answers');
  console.log(`equal to Postgres ${Math.round(performance.now() - start)} ms after the last commit`);
}
