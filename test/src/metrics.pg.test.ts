import { createClient } from '@sluice/client';
import { createSluice } from '@sluice/server';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';

// What `GET /metrics` says after things have happened: each number that operators are promised, none made up.

type Samples = ReadonlyMap<string, number>;

/** Prometheus's text format: `name{label="value"} 1`. */
async function scrape(url: string): Promise<Samples> {
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** The samples of one name, whatever their labels. */
function all(samples: Samples, name: string): number[] {
  return [...samples].filter(([key]) => key.startsWith(`${name}{`)).map(([, value]) => value);
}

test.each([false, true])('numbers follow what happened (views thread: %s)', async (viewsThread) => {
  const database = await sharedDatabase(
    `CREATE TABLE issue (id int PRIMARY KEY, project int, title text);
     INSERT INTO issue SELECT n, n % 3, 'issue ' || n FROM generate_series(1, 30) n`,
  );
  const sluice = createSluice({
    database: database.url,
    allowSql: true,
    port: 0,
    logLevel: 'silent',
    viewsThread,
  });
  const url = await sluice.listen();
  const { client } = createClient({ url });
  try {
    const before = await scrape(url);
    const of = (project: number): ReturnType<typeof client.live> =>
      client.live({ sql: 'SELECT id, title FROM issue WHERE project = $1', params: [project] });
    const incremental = [of(0), of(1)];
    const counted = client.live({
      sql: `SELECT project, count(*) AS n FROM issue WHERE title ~ '' GROUP BY project`,
    });
    const summed = client.live({ sql: `SELECT sum(id) AS ids FROM issue WHERE title ~ ''` });
    const views = [...incremental, counted, summed];
    await Promise.all(views.map((view) => view.ready));
    const failing = client.live({ sql: 'SELECT nope FROM issue' });
    await expect(failing.ready).rejects.toMatchObject({ code: 'column_unknown' });
    for (let n = 1; n <= 5; n++) {
      await database.sql(`INSERT INTO issue VALUES (${100 + n}, 1, 'new'), (${200 + n}, 2, 'new')`);
      const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      await client.reached((rows[0] as { lsn: string }).lsn, { timeoutMs: PATIENCE_MS });
    }

    // What is run again may be behind on a busy machine, and nobody who reaches something waits for it.
    await expect.poll(() => views.map(({ status }) => status)).toEqual(views.map(() => 'current'));

    const after = await scrape(url);
    const value = (key: string): number => after.get(`sluice_${key}`) ?? Number.NaN;
    const grew = (key: string): number => value(key) - (before.get(`sluice_${key}`) ?? 0);

    expect(value('source_state{state="streaming"}')).toBe(1);
    expect([value('connections'), value('subscriptions')]).toEqual([1, 4]);
    expect([value('views{gear="incremental"}'), value('views{gear="rerun"}')]).toEqual([2, 2]);
    expect(value('held_rows')).toBe(10 + 10 + 5);
    expect([grew('transactions_total') >= 5, grew('changes_total')]).toEqual([true, 10]);
    expect(grew('stream_bytes_total')).toBeGreaterThan(10 * 10);
    expect(grew('hydrated_views_total')).toBeGreaterThanOrEqual(2);
    expect(grew('hydrations_total')).toBeGreaterThanOrEqual(1);
    // Two changes a transaction, of a table that three templates read: the two filters share one.
    expect(grew('absorbed_changes_total')).toBe(3 * 10);
    expect([grew('hydration_ms_total') > 0, grew('absorb_ms_total') > 0]).toEqual([true, true]);
    expect(grew('told_rows_total')).toBeGreaterThanOrEqual(10 + 10 + 5 + 3 + 1);
    expect(grew('told_bytes_total')).toBeGreaterThan(10 * grew('told_rows_total'));
    // Two templates, each run once at first and again for a change.
    for (const name of ['sluice_reruns_total', 'sluice_rerun_views_total']) {
      const runs = all(after, name);
      expect([name, runs.length, Math.min(...runs) >= 2]).toEqual([name, 2, true]);
    }
    expect(all(after, 'sluice_rerun_ms_total').every((ms) => ms > 0)).toBe(true);
    // The first rows, and at least one move for each of the changes that were waited for.
    expect(grew('moves_total')).toBeGreaterThanOrEqual(6);
    expect(grew('messages_total')).toBeGreaterThan(grew('moves_total'));
    expect(grew('sent_bytes_total')).toBeGreaterThan(1_000);
    expect(grew('errors_total{code="column_unknown"}')).toBe(1);
    for (const state of ['open', 'running', 'queued'])
      expect(value(`fetches_under_way{state="${state}"}`)).toBeGreaterThanOrEqual(0);
    for (const gauge of [
      'queue_bytes',
      'pool_waiting',
      'retained_transactions',
      'retained_transaction_bytes',
    ])
      expect([gauge, value(gauge) >= 0]).toEqual([gauge, true]);
    expect(value('catalog_age_ms')).toBeLessThan(PATIENCE_MS);
    expect(value('catalog_reads_total')).toBeGreaterThanOrEqual(1);
    expect(value('retained_wal_limit_bytes')).toBeGreaterThan(0);

    // Measured on their own, once a second: lag and what the slot holds.
    for (const measured of ['stream_lag_bytes', 'stream_lag_ms', 'retained_wal_bytes']) {
      await expect.poll(async () => (await scrape(url)).get(`sluice_${measured}`)).toBeGreaterThanOrEqual(0);
    }

    client.close();
    await expect
      .poll(async () => {
        const samples = await scrape(url);
        return [samples.get('sluice_connections'), samples.get('sluice_subscriptions')];
      })
      .toEqual([0, 0]);
    expect((await scrape(url)).get('sluice_views_idle')).toBe(4);
  } finally {
    client.close();
    await sluice.stop();
    await database.drop();
  }
});

test('a transaction that no snapshot may forget yet is counted as retained', async () => {
  const database = await sharedDatabase('CREATE TABLE issue (id int PRIMARY KEY)');
  const sluice = createSluice({ database: database.url, allowSql: true, port: 0, logLevel: 'silent' });
  const url = await sluice.listen();
  try {
    const retained = async (): Promise<number[]> => {
      const samples = await scrape(url);
      return ['retained_transactions', 'retained_transaction_bytes'].map(
        (name) => samples.get(`sluice_${name}`) ?? Number.NaN,
      );
    };
    // Each is forgotten by the next probe, once a second: one of these is scraped before that.
    let id = 0;
    await expect
      .poll(
        async () => {
          await database.sql(`INSERT INTO issue VALUES (${++id})`);
          return Math.min(...(await retained()));
        },
        { interval: 10 },
      )
      .toBeGreaterThan(0);
    await expect.poll(retained).toEqual([0, 0]);
  } finally {
    await sluice.stop();
    await database.drop();
  }
});
