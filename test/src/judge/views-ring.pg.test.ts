import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '@sluice/server/source/database';
import { PostgresSource } from '@sluice/server/source/postgres-source';
import type { Run } from '@sluice/server/source/source';
import { CLIENT_ROLE } from '@sluice/server/testing/postgres';
import type { Hydration } from '@sluice/server/views/incremental-template';
import { ViewHost } from '@sluice/server/views/view-host';
import pg from 'pg';
import { expect, test } from 'vitest';
import { TcpProxy } from '../kit/tcp-proxy.js';
import { Chaos } from './chaos.js';
import { Court } from './court.js';
import { HandPlanner, hydrationSql, type HandPlanned } from './hand-plans.js';
import { bind } from './query.js';
import { PortWatcher } from './port-watcher.js';
import { lsnOf } from './wal-stream.js';
import { Writers } from './writers.js';

/*
 * The ring of source and views: no planner, no sessions, no sockets. Every version that the views publish is
 * compared at the position it carries, and every valid view at the end of every batch.
 */
const SECONDS = Number(process.env['SLUICE_JUDGE_SECONDS'] ?? 20);

test(
  'source and views, both gears, through crashes of Postgres and its connections',
  async () => {
    const court = await Court.open({ seed: process.env['SLUICE_JUDGE_SEED'] ?? 'views ring', durable: true });
    const proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: court.primary.port }));
    const planClient = new pg.Client({ connectionString: court.database.adminUrl });
    planClient.on('error', () => undefined);
    await planClient.connect();
    const planner = new HandPlanner(planClient, court.corpus.queries);
    for (const query of court.corpus.queries) await planner.plan(query.sql); // before anything is disturbed
    const url = new URL(court.database.url);
    url.port = String(proxy.port);
    const database = new Database({ connection: url.toString() });
    const faults: unknown[] = [];
    const roots = await rootsOf(planClient);
    const source = new PostgresSource({ database, replication: url.toString() });
    const host = new ViewHost({
      source,
      plan: ({ sql }) => planner.plan(sql),
      bind: async (planned, params) => [...params, ...((planned as HandPlanned).hand?.constants ?? [])],
      ancestors: (relation) => [relation, ...(roots.get(relation) ?? [])],
      hydrate,
      runBatch,
      emit: async () => undefined,
      limits: { viewsMax: 1000, rowsPerViewMax: 10_000 },
      statementTimeoutMs: 10_000,
      rerunIntervalMs: 20,
      clock: {
        now: () => performance.now(),
        sleep: (ms) => sleep(ms),
        every: (ms, callback) => {
          const timer = setInterval(callback, ms);
          return () => clearInterval(timer);
        },
      },
      onEvent: (event) => {
        if (event.kind === 'failed') faults.push(event.error);
      },
    });
    const watcher = new PortWatcher('port', host, court.judge, { role: CLIENT_ROLE, claims: {} });
    let disturbed = 0;
    const writers = new Writers({
      url: court.database.adminUrl,
      random: court.random.fork('writers'),
      steps: court.corpus.steps,
      sessions: 4,
      pauseMsMax: 30,
      failed: (message) => faults.push(message),
      disturbed: () => disturbed > 0,
    });
    const chaos = new Chaos(
      {
        primary: court.primary,
        database: court.database,
        products: [],
        databaseProxy: proxy,
        clientProxy: proxy,
        random: court.random.fork('chaos'),
        disturbing: async (work) => {
          disturbed++;
          await work();
          setTimeout(() => disturbed--, 2000);
        },
      },
      ['walsender-end', 'database-cut', 'synchronous-wait', 'postgres-kill', 'database-stall'],
      [1500, 4000],
      () => undefined,
    );
    const random = court.random.fork('views');
    try {
      await source.start(host);
      court.judge.writing = true;
      writers.start();
      chaos.start();
      for (const bound of court.corpus.always) watcher.open(bound);
      for (const query of court.corpus.queries) watcher.open(bind(query, query.params?.(random) ?? []));
      for (let second = 0; second < SECONDS; second++) {
        await Promise.race([sleep(1000), court.judge.ended]);
        for (let i = 0; i < 2; i++) watcher.open(court.corpus.draw(random));
      }
      await chaos.stop();
      await writers.stop();
      court.judge.writing = false;
      await court.nudge();
      const end = lsnOf(await court.end());
      await court.nudge();
      await expect.poll(() => watcher.position >= end, { timeout: 30_000 }).toBe(true);
      await expect.poll(() => watcher.valid[0] - watcher.valid[1], { timeout: 20_000 }).toBe(0);
      expect(await court.verdict()).toEqual([]);
      const { wrongs, counts } = court.judge;
      console.log(JSON.stringify({ ...counts, chaos: chaos.counts, gears: court.judge.gears }));
      expect(wrongs).toEqual([]);
      expect(watcher.refusals).toEqual([]);
      expect(faults).toEqual([]);
      expect(counts.unjudged).toBe(0);
      expect(counts.comparisons).toBeGreaterThan(1000);
    } finally {
      await chaos.stop().catch(() => undefined);
      await writers.stop();
      watcher.close();
      host.stop();
      await source.stop();
      await database.end();
      await planClient.end().catch(() => undefined);
      await proxy.close();
      await court.close();
    }
  },
  SECONDS * 1000 + 90_000,
);

async function hydrate(
  run: Run,
  planned: HandPlanned | Parameters<ConstructorParameters<typeof ViewHost>[0]['hydrate']>[1],
  bindings: readonly (readonly (string | null)[])[],
  counts: readonly number[],
): Promise<Hydration> {
  const { gear } = planned;
  if (gear.kind !== 'incremental') throw new Error('assertion failed: not incremental');
  const out: (readonly (string | null)[])[][] = [];
  for (const [i, binding] of bindings.entries()) {
    const sql = hydrationSql(planned as HandPlanned, gear.plan, counts[i] ?? Infinity);
    const used = new Set(sql.match(/\$\d+/g)).size;
    out.push((await run(sql, binding.slice(0, used))).rows);
  }
  return out;
}

async function runBatch(
  run: Run,
  planned: Parameters<ConstructorParameters<typeof ViewHost>[0]['runBatch']>[1],
  bindings: readonly (readonly (string | null)[])[],
): Promise<readonly (readonly (string | null)[])[][]> {
  const out: (readonly (string | null)[])[][] = [];
  for (const binding of bindings) out.push((await run((planned as HandPlanned).query.sql, binding)).rows);
  return out;
}

async function rootsOf(client: pg.Client): Promise<ReadonlyMap<number, readonly number[]>> {
  const { rows } = await client.query<{ leaf: string; above: string[] }>(
    `SELECT inhrelid::text AS leaf, array(SELECT relid::oid::text FROM pg_partition_ancestors(inhrelid) WHERE relid <> inhrelid) AS above
     FROM pg_inherits`,
  );
  return new Map(rows.map(({ leaf, above }) => [Number(leaf), above.map(Number)]));
}
