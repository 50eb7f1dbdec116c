// C19 in views: while the stream is far behind nothing is refused and nothing is wrong; afterwards all is current.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../testing/deadline.js';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '../testing/postgres.js';
import { TcpProxy } from '../testing/tcp-proxy.js';
import { startViews } from '../testing/views.js';

/** How much may be written that the source has not looked at yet: less than there is from one limit to the next. */
const UNSEEN_MAX = BigInt(4 << 20);

let server: TestPostgres;
let db: TestDatabase;
beforeAll(async () => {
  server = await startTestPostgres({ settings: { autovacuum: 'off' } });
  db = await createTestDatabase(
    server,
    `CREATE TABLE busy (id serial PRIMARY KEY, n int NOT NULL, t text);
     CREATE TABLE other (id int PRIMARY KEY, v int NOT NULL);
     INSERT INTO other VALUES (1, 1);`,
  );
});
afterAll(() => server.destroy());

test('views that are behind, or are opened meanwhile, are not followed while it lasts and converge after it', async () => {
  const proxy = await TcpProxy.start(server.port);
  const replication = db.url.replace(`:${server.port}/`, `:${proxy.port}/`);
  const views = await startViews(
    db,
    {},
    { source: { replication, maxRetainedWalBytes: 32 << 20, probeMs: 30 } },
  );
  const top = await views.open('SELECT id, n FROM busy ORDER BY id LIMIT 3');
  const count = await views.open('SELECT count(*) FROM busy');
  const other = await views.open('SELECT id, v FROM other');
  await Promise.all([top, count, other].map((view) => view.until(() => view.state === 'valid')));

  proxy.pause('toClient');
  const walEnd = async (): Promise<bigint> => {
    const { rows } = await db.sql(`SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS lsn`);
    return BigInt((rows[0] as { lsn: string }).lsn);
  };
  // No faster than the source looks: it sees each of its limits.
  const writeUntil = async (stage: string): Promise<void> => {
    const before = await walEnd();
    const there = (): boolean => views.source.status().backlog === stage;
    await until(async () => {
      if (there()) return true;
      await db.sql(
        `INSERT INTO busy (n, t) SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 1000) i`,
      );
      const written = (await walEnd()) - before;
      await until(() => there() || (views.source.status().retainedWalBytes ?? 0n) + UNSEEN_MAX >= written);
      return false;
    });
  };
  await writeUntil('pause');
  const late = await views.open('SELECT id, v FROM other WHERE v > $1', ['0']);
  const lateSum = await views.open('SELECT sum(n) FROM busy WHERE n < $1', ['10']);
  const reads = views.source.status().fetches;
  await writeUntil('shed');
  await db.sql('UPDATE other SET v = 2; UPDATE busy SET n = -1 WHERE id = 2');
  expect([late.state, lateSum.state]).toEqual(['hydrating', 'hydrating']);
  expect(views.source.status().fetches).toBe(reads);
  // The two that were opened; the others are valid where the stream is.
  expect(views.host.status()).toMatchObject({ views: 5, shed: 2 });
  expect([top.state, count.state, other.state]).toEqual(['valid', 'valid', 'valid']);

  proxy.resume();
  const { rows } = await db.sql(
    `SELECT count(*)::text AS count, (sum(n) FILTER (WHERE n < 10))::text AS sum FROM busy`,
  );
  const truth = rows[0] as { count: string; sum: string };
  await Promise.all([
    top.shows([
      ['1', '1'],
      ['2', '-1'],
      ['3', '3'],
    ]),
    count.shows([[truth.count]]),
    other.shows([['1', '2']]),
    late.shows([['1', '2']]),
    lateSum.shows([[truth.sum]]),
  ]);
  expect(views.host.status()).toMatchObject({ shed: 0 });
  expect(views.source.status()).toMatchObject({ backlog: 'none', slotsGivenUp: 0 });
  expect(views.events.filter(({ kind }) => kind === 'failed')).toEqual([]);

  // And they follow the stream again.
  await db.sql('UPDATE other SET v = 3');
  await Promise.all([other.shows([['1', '3']]), late.shows([['1', '3']])]);
  await views.stop();
  await proxy.close();
});
