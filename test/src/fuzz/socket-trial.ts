import { createClient, type Client, type LiveView } from '@sluice/client';
import { propertyNames } from '@sluice/core/row-decoder';
import type { PgText } from '@sluice/core/value';
import { createSluice, type QueryText } from '@sluice/server';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { Random } from '../kit/random.js';
import type { FuzzQuery } from './fuzz-case.js';
import { judge, sortedText, type Rows } from './judgement.js';
import { caseOf, relationsOf, schemaSql } from './model.js';
import { randomQuery } from './random-query.js';
import type { SchemaModel } from './random-schema.js';
import { firstRows, randomTransaction, writeSql } from './random-writes.js';
import type { Statistics } from './statistics.js';
import { usableSchema } from './trial.js';
import { World, type Prepared } from './world.js';

export interface SocketTrialOptions {
  readonly seed: string;
  readonly queries: number;
  readonly transactions: number;
  readonly deadline: number;
}

interface Watched {
  readonly query: FuzzQuery;
  readonly prepared: Prepared;
  readonly binding: readonly PgText[];
  readonly view: LiveView;
  last: string;
}

const WAIT_MS = 20;

/**
 * The same schemas, queries and writes through the whole product: what clients hold, over the socket, after each
 * transaction. @param database without tables yet @returns what is wrong
 */
export async function runSocketTrial(
  database: TestDatabase,
  options: SocketTrialOptions,
  statistics: Statistics,
): Promise<readonly string[]> {
  const random = new Random(options.seed);
  const schema = await usableSchema({ url: database.adminUrl, seed: options.seed }, random.fork('schema'));
  await database.sql(schemaSql(schema).join('; '));
  await database.publish();
  const world = await World.within(database.adminUrl, 'public');
  const sluice = createSluice({
    database: database.url,
    port: 0,
    logLevel: 'silent',
    queries: { any: ({ args }) => args as QueryText & { readonly params: readonly unknown[] } },
  });
  const { client } = createClient({ url: await sluice.listen(), values: 'text' });
  try {
    return await new SocketTrial(world, client, schema, statistics).run(random, options);
  } finally {
    client.close();
    await sluice.stop();
    await world.close();
  }
}

class SocketTrial {
  readonly #world: World;
  readonly #client: Client;
  readonly #schema: SchemaModel;
  readonly #statistics: Statistics;
  readonly #wrong: string[] = [];
  #watched: Watched[] = [];
  #turn = 0;

  constructor(world: World, client: Client, schema: SchemaModel, statistics: Statistics) {
    this.#world = world;
    this.#client = client;
    this.#schema = schema;
    this.#statistics = statistics;
  }

  async run(random: Random, options: SocketTrialOptions): Promise<readonly string[]> {
    await this.#write(firstRows(random.fork('rows'), this.#schema.tables).map(writeSql));
    for (let at = 0; at < options.queries; at++) await this.#watch(random.fork(`query ${at}`));
    await this.#compare();
    const writing = random.fork('writes');
    for (let turn = 0; turn < options.transactions && Date.now() < options.deadline; turn++) {
      this.#turn = turn + 1;
      await this.#write(randomTransaction(writing, this.#schema.tables).map(writeSql));
      await this.#compare();
    }
    return this.#wrong;
  }

  async #write(statements: readonly string[]): Promise<void> {
    await this.#world.transact(statements, () => undefined);
  }

  async #watch(random: Random): Promise<void> {
    const options = { paramsMax: random.chance(0.5) ? 2 : 0, raising: 0 };
    const { made, params } = randomQuery(random, relationsOf(this.#schema), options);
    const bindings = [0, 1].map((at) => params.map(({ values }) => values[at % values.length] ?? null));
    const model = { ...this.#schema, rows: [], transactions: [], made, bindings };
    const { query } = caseOf(model, '');
    const prepared = await this.#world.prepare(query.sql);
    if (prepared === null) return void this.#statistics.refuse(query.sql);
    const known = await this.#world.allCanonical(prepared.types, query.bindings);
    for (const binding of known.slice(0, params.length === 0 ? 1 : 2)) {
      const view = this.#client.live({ query: 'any', args: { sql: query.sql, params: binding } });
      this.#watched.push({ query, prepared, binding, view, last: '' });
    }
  }

  async #compare(): Promise<void> {
    const { rows } = await this.#world.client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    await this.#client.reached(rows[0]?.lsn ?? '', { timeoutMs: PATIENCE_MS });
    await settled(this.#watched.map(({ view }) => view));
    const left: Watched[] = [];
    for (const one of this.#watched) if (await this.#isRight(one)) left.push(one);
    this.#watched = left;
  }

  /** @returns whether it is watched further */
  async #isRight(one: Watched): Promise<boolean> {
    const { query, prepared, binding, view } = one;
    // By its name alone a function may be one whose answer the clock decides: then the query is refused.
    if (view.error?.code === 'function_not_allowed') {
      this.#statistics.refuse(query.sql);
      view.close();
      return false;
    }
    const truth = await this.#world.ask(prepared, binding);
    const text = truth.kind === 'error' ? 'error' : truth.rows.length === 0 ? '' : sortedText(truth.rows);
    const compared = { isEmpty: text === '' && one.last === '', changed: text !== one.last };
    one.last = text;
    const held = view.error === null ? textsOf(view) : null;
    const question = { world: this.#world, query, prepared, binding, errors: false };
    const verdict = await judge(question, truth, held);
    const gear = view.gear === 'incremental' ? 'incremental' : 'rerun';
    this.#statistics.count(typeof verdict === 'object' ? 'wrong' : verdict, {
      ...compared,
      sql: query.sql,
      isError: held === null,
      gear,
    });
    if (typeof verdict === 'object')
      this.#wrong.push(
        `after transaction ${this.#turn}, ${gear}, ${view.status}: ${query.sql} ${JSON.stringify(binding)}\n${view.error?.code ?? ''} ${view.error?.detail ?? ''} ${verdict.wrong}`,
      );
    if (verdict !== 'equal') view.close();
    return verdict === 'equal';
  }
}

/** Every view has its answer, be it an error. */
async function settled(views: readonly LiveView[]): Promise<void> {
  const waiting = (): readonly LiveView[] =>
    views.filter(({ status, error }) => status !== 'current' && error?.retry !== false);
  const end = Date.now() + PATIENCE_MS;
  while (waiting().length > 0 && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
}

function textsOf(view: LiveView): Rows {
  const names = propertyNames(view.shape ?? { columns: [], ordered: false });
  return view.rows.map((row) => names.map((name) => Reflect.get(row, name) as PgText));
}
