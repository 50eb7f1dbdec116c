import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '@sluice/core/assert';
import { collationsOf, TextOrders } from '@sluice/core/flow/text-orders';
import type { EnginePieces } from '@sluice/core/flow/engine-pieces';
import type { Binding } from '@sluice/core/plan';
import type { PgText } from '@sluice/core/value';
import type { IncrementalPlan, PlanParam, Planned } from '../planner/planned.js';
import type { Planner } from '../planner/planner.js';
import type { Registry } from '../registry/registry.js';
import type { Database } from '../source/database.js';
import { quoteLiteral } from '../source/quote.js';
import { hydrate, runBatch } from './statements.js';
import { BlockGear } from './block-gear.js';
import { fetchNeeds } from './block-fetch.js';
import type { Gear } from './gear.js';
import { PlanPieces } from './plan-pieces.js';
import { areKeysSure } from './sure-keys.js';
import { TableGear } from './table-gear.js';
import type { Clock, ViewEvent, ViewHostOptions, ViewLimits } from './host-options.js';
import { ViewHost } from './view-host.js';

export interface ViewParts {
  readonly source: ViewHostOptions['source'];
  readonly planner: Planner;
  readonly registry: () => Registry;
  readonly database: Database;
  readonly limits: ViewLimits;
  /** For hydrations and re-runs, ms. */
  readonly statementTimeoutMs: number;
  /** The least time between two rounds of re-runs, ms. */
  readonly rerunIntervalMs: number;
  /** See `ViewHostOptions`. */
  readonly rerunRestFactor: number;
  /** See `ViewHostOptions`. */
  readonly schemaKnown?: () => Promise<void>;
  readonly onEvent: (event: ViewEvent) => void;
}

/** Puts the views of a source together from the stages to their left. */
export function assembleViewHost(parts: ViewParts): ViewHost {
  const { source, planner, registry, limits, statementTimeoutMs, rerunIntervalMs, rerunRestFactor, onEvent } =
    parts;
  const pieces = new PlanPieces();
  return new ViewHost({
    source,
    ...(parts.schemaKnown ? { schemaKnown: parts.schemaKnown } : {}),
    limits,
    statementTimeoutMs,
    rerunIntervalMs,
    rerunRestFactor,
    onEvent,
    plan: async ({ sql, principal, adHoc, tick, params }) => {
      const planned = await planner.plan(sql, { principal, adHoc, tick, params });
      await pieces.load(planned);
      return planned;
    },
    bind: (planned, params) => bind(planner, planned, params),
    ancestors: ancestorsIn(registry),
    gearOf: (planned, gear) => gearOf(planned, gear, pieces.of(gear), registry, limits),
    runBatch: (run, planned, bindings) => runBatch(run, planned, bindings, limits),
    emit: (prefix, content) => emit(parts.database, prefix, content),
    clock: WALL_CLOCK,
  });
}

/** The plan's binding: the query's parameters in canonical text, and where the plan lifted constants those. */
async function bind(planner: Planner, planned: Planned, params: readonly PgText[]): Promise<Binding> {
  if (planned.gear.kind === 'rerun') return planner.bind(planned.paramTypes, params);
  const { params: lifted } = planned.gear;
  return planner.bind(
    lifted.map((one) => one.type),
    lifted.map((one) => valueOf(one, params)),
  );
}

function valueOf(param: PlanParam, params: readonly PgText[]): PgText {
  return param.kind === 'constant' ? param.value : (params[param.index] ?? null);
}

function gearOf(
  planned: Planned,
  { plan, params }: IncrementalPlan,
  pieces: EnginePieces,
  registry: () => Registry,
  { rowsPerViewMax, bytesPerViewMax, rowsHeldPerViewMax, keysPerStatementMax }: ViewLimits,
): Gear {
  if (plan.kind === 'blocks') {
    const most = {
      rowsMax: rowsHeldPerViewMax,
      bytesMax: bytesPerViewMax,
      ...(keysPerStatementMax === undefined ? {} : { keysPerStatementMax }),
    };
    return new BlockGear({
      block: plan.block,
      pieces,
      orders: new TextOrders(collationsOf(plan.block), { textsMax: rowsHeldPerViewMax }),
      telling: {
        visible: plan.visible,
        ordered: planned.shape.ordered,
        keyColumns: planned.keyColumns,
        sure: areKeysSure(plan.block, planned.keyColumns),
      },
      fill: (run, engine, orders) => fetchNeeds(run, registry(), engine, most, orders),
    });
  }
  const types = params.map((one) => one.type);
  return new TableGear({
    plan,
    types: pieces.types,
    rowsPerViewMax,
    hydrate: (run, bindings, counts) => {
      const table = must(registry().tables.get(plan.table), 'a plan whose table is gone is planned anew');
      return hydrate(run, plan, types, table, bindings, counts, bytesPerViewMax);
    },
  });
}

/** A relation's partitioned roots do not change while the registry does not. */
function ancestorsIn(registry: () => Registry): (relation: number) => readonly number[] {
  let known: { readonly registry: Registry; readonly lists: Map<number, readonly number[]> } | null = null;
  return (relation) => {
    const current = registry();
    if (known?.registry !== current) known = { registry: current, lists: new Map() };
    let list = known.lists.get(relation);
    if (list === undefined) known.lists.set(relation, (list = lineage(current, relation)));
    return list;
  };
}

function lineage(registry: Registry, relation: number): number[] {
  const list = [relation];
  for (let parent = registry.tables.get(relation)?.partitionOf ?? null; parent !== null;) {
    list.push(parent);
    parent = registry.tables.get(parent)?.partitionOf ?? null;
  }
  return list;
}

/** `synchronous_commit = local`: what only marks a place in the WAL need not wait for standbys (C2). */
async function emit(database: Database, prefix: string, content: string): Promise<void> {
  await database.script([
    'SET LOCAL synchronous_commit = local',
    `SELECT pg_logical_emit_message(true, ${quoteLiteral(prefix)}, ${quoteLiteral(content)})`,
  ]);
}

const WALL_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms) => sleep(ms),
  every: (ms, callback) => {
    const timer = setInterval(callback, ms);
    return () => clearInterval(timer);
  },
};
