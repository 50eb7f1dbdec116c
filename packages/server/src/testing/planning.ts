import pg from 'pg';
import type { Binding } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import { Planner, type PlannerOptions, type PlanRequest } from '../planner/planner.js';
import type { ParamType, Planned } from '../planner/planned.js';
import { readRegistry } from '../registry/read-registry.js';
import type { Registry } from '../registry/registry.js';
import type { Run } from '../source/source.js';
import { CLIENT_ROLE, type TestDatabase } from './postgres.js';
import { runOn } from '../source/run-on.js';
import { sharedDatabase } from './shared.js';

/** A database of a test's own with a planner on it. */
export interface PlanningBench {
  readonly database: TestDatabase;
  /** As the service role, values as text, under the pinned settings. */
  readonly run: Run;
  registry: Registry;
  readonly planner: Planner;
  /** Plans as the client role; parameters that are not given are NULL. */
  plan(sql: string, options?: Partial<PlanRequest>): Promise<Planned>;
  /** The binding of a plan's own parameters. */
  bind(planned: Planned, values: readonly PgText[]): Promise<Binding>;
  reload(): Promise<void>;
  end(): Promise<void>;
}

export async function planningBench(
  setup: string,
  options: Omit<PlannerOptions, 'connections' | 'registry'> = {},
): Promise<PlanningBench> {
  const database = await sharedDatabase(setup);
  const pool = new pg.Pool({
    connectionString: database.url,
    max: 2,
    options: '-c TimeZone=UTC -c IntervalStyle=postgres -c extra_float_digits=1 -c bytea_output=hex',
  });
  const run = runOn(pool);
  const bench: PlanningBench = {
    database,
    run,
    registry: await readRegistry(run, 'sluice'),
    planner: new Planner({ ...options, connections: pool, registry: () => bench.registry }),
    plan: (sql, request = {}) => {
      const highest = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map((match) => Number(match[1])));
      const params = Array.from({ length: highest }, () => null);
      const principal = { role: CLIENT_ROLE, claims: {} };
      return bench.planner.plan(sql, { principal, adHoc: false, params, ...request });
    },
    bind: (planned, values) => {
      const { types, texts } = planParams(planned, values);
      return bench.planner.bind(types, texts);
    },
    reload: async () => {
      bench.registry = await readRegistry(run, 'sluice');
    },
    end: async () => {
      await pool.end();
      await database.drop();
    },
  };
  return bench;
}

/** What an incremental plan's parameters are bound to: the query's own values, and its constants. */
function planParams(
  planned: Planned,
  values: readonly PgText[],
): { readonly types: readonly ParamType[]; readonly texts: readonly PgText[] } {
  if (planned.gear.kind === 'rerun') return { types: planned.paramTypes, texts: values };
  const { params } = planned.gear;
  return {
    types: params.map((param) => param.type),
    texts: params.map((param) => (param.kind === 'param' ? (values[param.index] ?? null) : param.value)),
  };
}
