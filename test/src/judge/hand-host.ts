import { setTimeout as sleep } from 'node:timers/promises';
import type { Binding } from '@sluice/core/plan';
import type { Row } from '@sluice/core/value';
import { Database } from '@sluice/server/source/database';
import { PostgresSource } from '@sluice/server/source/postgres-source';
import type { Run } from '@sluice/server/source/source';
import { TableGear, type Hydration } from '@sluice/server/views/table-gear';
import type { ViewHostOptions } from '@sluice/server/views/host-options';
import { ViewHost } from '@sluice/server/views/view-host';
import pg from 'pg';
import { HandPlanner, hydrationSql, type HandPlanned } from './hand-plans.js';
import type { JudgeQuery } from './query.js';

type HostPlanned = Parameters<ViewHostOptions['gearOf']>[0];

const ROWS_MAX = 10_000;

/** Source and views over plans made by hand: everything is the product's own but the planner. */
export class HandHost {
  readonly host: ViewHost;
  readonly source: PostgresSource;
  readonly #database: Database;
  readonly #planning: pg.Client;
  /** Faults that the views reported of themselves. */
  readonly faults: unknown[] = [];

  private constructor(
    url: string,
    planning: pg.Client,
    planner: HandPlanner,
    ancestors: (relation: number) => number[],
  ) {
    this.#planning = planning;
    this.#database = new Database({ connection: url });
    this.source = new PostgresSource({ database: this.#database, replication: url });
    this.host = new ViewHost({
      source: this.source,
      plan: ({ sql }) => planner.plan(sql),
      bind: async (planned, params) => [...params, ...((planned as HandPlanned).hand?.constants ?? [])],
      ancestors,
      gearOf,
      runBatch,
      emit: async () => undefined,
      limits: {
        viewsMax: 10_000,
        rowsPerViewMax: ROWS_MAX,
        bytesPerViewMax: Infinity,
        rowsHeldPerViewMax: ROWS_MAX,
        heldBytesMax: Infinity,
      },
      statementTimeoutMs: 10_000,
      rerunIntervalMs: 20,
      rerunRestFactor: 3,
      clock: {
        now: () => performance.now(),
        sleep: (ms) => sleep(ms),
        every: (ms, callback) => {
          const timer = setInterval(callback, ms);
          return () => clearInterval(timer);
        },
      },
      onEvent: (event) => {
        if (event.kind === 'failed') this.faults.push(event.error);
      },
    });
  }

  /** @param planningUrl a way to Postgres that the run does not disturb while plans are made. */
  static async start(url: string, planningUrl: string, queries: readonly JudgeQuery[]): Promise<HandHost> {
    const planning = new pg.Client({ connectionString: planningUrl });
    planning.on('error', () => undefined);
    await planning.connect();
    const planner = new HandPlanner(planning, queries);
    for (const query of queries) await planner.plan(query.sql);
    const above = await ancestorsOf(planning);
    const hand = new HandHost(url, planning, planner, (relation) => [
      relation,
      ...(above.get(relation) ?? []),
    ]);
    await hand.source.start(hand.host);
    return hand;
  }

  async stop(): Promise<void> {
    this.host.stop();
    await this.source.stop();
    await this.#database.end();
    await this.#planning.end().catch(() => undefined);
  }
}

const gearOf: ViewHostOptions['gearOf'] = (planned, { plan }) => {
  if (plan.kind !== 'table') throw new Error('assertion failed: plans by hand are of one table');
  const read = (run: Run, bindings: readonly Binding[], counts: readonly number[]): Promise<Hydration> =>
    hydrate(run, planned, bindings, counts);
  return new TableGear({ plan, types: {}, rowsPerViewMax: ROWS_MAX, hydrate: read });
};

async function hydrate(
  run: Run,
  planned: HostPlanned,
  bindings: readonly Binding[],
  counts: readonly number[],
): Promise<Hydration> {
  const { gear } = planned;
  if (gear.kind !== 'incremental' || gear.plan.kind !== 'table')
    throw new Error('assertion failed: not incremental');
  const out: Row[][] = [];
  for (const [i, binding] of bindings.entries()) {
    const sql = hydrationSql(planned as HandPlanned, gear.plan, counts[i] ?? Infinity);
    const used = new Set(sql.match(/\$\d+/g)).size;
    out.push((await run(sql, binding.slice(0, used))).rows);
  }
  return out;
}

async function runBatch(
  run: Run,
  planned: HostPlanned,
  bindings: readonly Binding[],
): Promise<readonly Row[][]> {
  const out: Row[][] = [];
  for (const binding of bindings) out.push((await run((planned as HandPlanned).query.sql, binding)).rows);
  return out;
}

/** The partitioned tables above each leaf. */
async function ancestorsOf(client: pg.Client): Promise<ReadonlyMap<number, readonly number[]>> {
  const { rows } = await client.query<{ leaf: string; above: string[] }>(
    `SELECT inhrelid::text AS leaf,
            array(SELECT relid::oid::text FROM pg_partition_ancestors(inhrelid) WHERE relid <> inhrelid) AS above
     FROM pg_inherits`,
  );
  return new Map(rows.map(({ leaf, above }) => [Number(leaf), above.map(Number)]));
}
