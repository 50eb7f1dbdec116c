import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { PgText } from '@sluice/core/value';
import { analyse } from '@sluice/server/analysis/analyse';
import { concernOf } from '@sluice/server/planner/blocks/concern';
import { readRegistry } from '@sluice/server/registry/read-registry';
import type { Registry } from '@sluice/server/registry/registry';
import { runOn } from '@sluice/server/source/run-on';
import type { Change, Relation, Tuple } from '@sluice/server/source/transaction';
import { ConcernedViews } from '@sluice/server/views/concerned-views';
import type { TableChanges } from '@sluice/server/views/table-changes';
import { Random } from '../kit/random.js';
import { judge, type Rows } from './judgement.js';
import { caseOf, relationsOf, schemaSql, type Model } from './model.js';
import { randomQuery } from './random-query.js';
import type { SchemaModel } from './random-schema.js';
import { firstRows, randomTransaction, writeSql } from './random-writes.js';
import { eventsOf, type Events } from './stream.js';
import { usableSchema } from './trial.js';
import type { WorldTable } from './world-table.js';
import { World, type Outcome, type Prepared } from './world.js';

/** What is counted: answers beside statements that were said not to concern them, and to concern them. */
export interface Counts {
  spared: number;
  concerned: number;
  /** Of those that were concerned, whose answer was another then. */
  changed: number;
  queries: number;
  /** Of the queries, those of which anything could be said. */
  lifted: number;
}

export interface ConcernOptions {
  readonly url: string;
  readonly seed: string;
  readonly queries: number;
  readonly transactions: number;
  readonly deadline: number;
}

/** Its identity names it among the bindings of its query. */
interface Binding {
  readonly values: readonly PgText[];
  outcome: Outcome;
}

interface Follower {
  readonly query: ReturnType<typeof caseOf>['query'];
  readonly prepared: Prepared;
  readonly views: ConcernedViews<Binding> | null;
  readonly bindings: readonly Binding[];
}

/**
 * C9: one random schema with random queries, through random writes. Where the predicates lifted from a query say of a
 * statement that it does not concern a binding, Postgres's answer from before it is still one.
 * @returns what is wrong, in words
 */
export async function runConcernTrial(options: ConcernOptions, counts: Counts): Promise<readonly string[]> {
  const random = new Random(options.seed);
  const schema = await usableSchema(options, random.fork('schema'));
  const name = `c_${options.seed.replaceAll(/\W/g, '_')}`;
  const world = await World.open(options.url, name, schemaSql(schema));
  const wrong: string[] = [];
  try {
    await world.transact(firstRows(random.fork('rows'), schema.tables).map(writeSql));
    const registry = await readRegistry(runOn(world.pool), 'sluice');
    const followers: Follower[] = [];
    for (let at = 0; at < options.queries && Date.now() < options.deadline; at++) {
      const follower = await follow(world, schema, registry, random.fork(`query ${at}`));
      if (follower === null) continue;
      counts.queries++;
      if (follower.views === null) continue;
      counts.lifted++;
      followers.push(follower);
    }
    const writing = random.fork('writes');
    for (let turn = 0; turn < options.transactions && Date.now() < options.deadline; turn++) {
      for (const write of randomTransaction(writing, schema.tables)) {
        const before = await world.contents();
        const events: Events = new Map();
        await world.transact([writeSql(write)], (statement, after) =>
          eventsOf(world.tables, statement, before, after, events),
        );
        const changes = changesOf(world.tables, registry, events);
        for (const follower of followers) {
          const found = await compare(world, follower, changes, counts);
          wrong.push(...found.map((one) => `${writeSql(write)}\n${follower.query.sql}\n${one}`));
        }
      }
    }
    return wrong;
  } finally {
    await world.close();
  }
}

async function follow(
  world: World,
  schema: SchemaModel,
  registry: Registry,
  random: Random,
): Promise<Follower | null> {
  const { made, params } = randomQuery(random, relationsOf(schema), { paramsMax: 2, raising: 0 });
  const lists = Array.from({ length: params.length === 0 ? 1 : 4 }, (_, at) =>
    params.map(({ values }) => values[at % values.length] ?? null),
  );
  const model: Model = { ...schema, rows: [], transactions: [], made, bindings: lists };
  const { query } = caseOf(model, '');
  const prepared = await world.prepare(query.sql);
  if (prepared === null) return null;
  const analysis = await analyse(world.pool, {
    sql: query.sql,
    paramTypes: prepared.types,
    schemas: [world.schema],
  });
  if (analysis.kind !== 'analysed') return null;
  const concern = concernOf(analysis.query, analysis.facts, registry);
  const bindings: Binding[] = [];
  for (const values of await world.allCanonical(prepared.types, query.bindings))
    bindings.push({ values, outcome: await world.ask(prepared, values) });
  if (concern === null) return { query, prepared, views: null, bindings };
  const views = new ConcernedViews<Binding>(
    concern,
    world.tables.map(({ oid }) => oid),
  );
  for (const binding of bindings) views.add(binding, binding.values);
  return { query, prepared, views, bindings };
}

async function compare(
  world: World,
  { query, prepared, views, bindings }: Follower,
  changes: ReadonlyMap<number, TableChanges>,
  counts: Counts,
): Promise<readonly string[]> {
  const of = changes.size === 0 ? new Set<Binding>() : (views?.of(changes) ?? 'all');
  const wrong: string[] = [];
  for (const binding of bindings) {
    const before = binding.outcome;
    binding.outcome = await world.ask(prepared, binding.values);
    // Where the answer is an error, the row that causes it need not be one that matters.
    if (before.kind === 'error') continue;
    const isConcerned = of === 'all' || of.has(binding);
    if (isConcerned) {
      counts.concerned++;
      if (JSON.stringify(before) !== JSON.stringify(binding.outcome)) counts.changed++;
      continue;
    }
    const held: Rows = before.rows;
    const question = { world, query, prepared, binding: binding.values, errors: false };
    const verdict = await judge(question, binding.outcome, held);
    if (typeof verdict === 'object')
      wrong.push(`binding ${JSON.stringify(binding.values)}\n${verdict.wrong}`);
    else counts.spared++;
  }
  return wrong;
}

function changesOf(
  tables: readonly WorldTable[],
  registry: Registry,
  events: Events,
): ReadonlyMap<number, TableChanges> {
  const changes = new Map<number, TableChanges>();
  for (const table of tables) {
    const own = events.get(table.name);
    if (own === undefined) continue;
    const relation = relationOf(table, registry);
    changes.set(table.oid, { changes: own.map((event) => changeOf(event, relation, table)), unknown: false });
  }
  return changes;
}

function relationOf(table: WorldTable, registry: Registry): Relation {
  const known = registry.tables.get(table.oid)?.columns ?? [];
  return {
    oid: table.oid,
    schema: '',
    name: table.name,
    replicaIdentity: table.identityFull ? 'full' : 'default',
    columns: table.columns.map(({ name, attnum }) => ({
      name,
      typeOid: known.find(({ number }) => number === attnum)?.typeOid ?? 0,
      typeModifier: -1,
      identity: table.identityFull || table.key.includes(attnum),
    })),
  };
}

/** As the stream sends it: of an old row nothing but the key, unless all of it; and that only where it is another. */
function changeOf(event: RowEvent, relation: Relation, table: WorldTable): Change {
  if (event === 'truncate') return { kind: 'truncate', relation };
  const { oldKey, newKey, values, oldValues } = event;
  const keyOf = (key: string): Tuple => {
    const parts = JSON.parse(key) as readonly PgText[];
    return tuple(
      table.columns.map(({ attnum }) => {
        const place = table.columns
          .filter((one) => table.key.includes(one.attnum))
          .findIndex((one) => one.attnum === attnum);
        return place < 0 ? null : (parts[place] ?? null);
      }),
    );
  };
  if (oldKey === null) return { kind: 'insert', relation, new: tuple(values) };
  const identity = oldValues === undefined ? 'key' : 'full';
  const old = oldValues === undefined ? null : tuple(oldValues);
  if (newKey === null) return { kind: 'delete', relation, identity, old: old ?? keyOf(oldKey) };
  if (old !== null) return { kind: 'update', relation, identity, old, new: tuple(values) };
  return oldKey === newKey
    ? { kind: 'update', relation, identity: 'none', old: null, new: tuple(values) }
    : { kind: 'update', relation, identity: 'key', old: keyOf(oldKey), new: tuple(values) };
}

function tuple(values: readonly (PgText | undefined)[]): Tuple {
  return { length: values.length, text: (column) => values[column] };
}
