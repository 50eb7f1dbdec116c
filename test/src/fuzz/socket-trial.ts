import type { PgText } from '@sluice/core/value';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { Random } from '../kit/random.js';
import { judge, sortedText, type Judge } from './judgement.js';
import type { Made } from './made-query.js';
import { caseOf, relationsOf, schemaSql, type Model } from './model.js';
import { randomQuery } from './random-query.js';
import type { SchemaModel } from './random-schema.js';
import { firstRows, randomTransaction, writeSql, type Write } from './random-writes.js';
import { SocketStage } from './socket-stage.js';
import type { Statistics } from './statistics.js';
import { usableSchema, type Finding } from './trial.js';
import { settle, WatchedQuery } from './watched-query.js';
import type { World } from './world.js';

export interface SocketTrialOptions {
  readonly seed: string;
  readonly queries: number;
  readonly transactions: number;
  readonly deadline: number;
  /** What says whether an answer is right. */
  readonly judged?: Judge;
}

/** A query that is watched, as it was made. */
interface Follower {
  readonly made: Made;
  readonly bindings: Model['bindings'];
  readonly watched: WatchedQuery;
  /** Postgres's answer. */
  last: string;
}

/** Share of the transactions that the next one follows without waiting. */
const HURRIED = 0.2;

/**
 * The same schemas, queries and writes through the whole product: what clients hold, over the socket, after each
 * transaction or a few of them. @param database without tables yet @returns what is wrong
 */
export async function runSocketTrial(
  database: TestDatabase,
  options: SocketTrialOptions,
  statistics: Statistics,
): Promise<readonly Finding[]> {
  const random = new Random(options.seed);
  const schema = await usableSchema({ url: database.adminUrl, seed: options.seed }, random.fork('schema'));
  const stage = await SocketStage.open(database);
  try {
    const world = await stage.furnish(schemaSql(schema));
    try {
      await stage.publish(world, PATIENCE_MS);
      return await new SocketTrial(stage, world, schema, random, options, statistics).run();
    } finally {
      await world.close();
    }
  } finally {
    await stage.close();
  }
}

class SocketTrial {
  readonly #stage: SocketStage;
  readonly #world: World;
  readonly #schema: SchemaModel;
  readonly #random: Random;
  readonly #options: SocketTrialOptions;
  readonly #statistics: Statistics;
  readonly #rows: readonly Write[];
  readonly #history: (readonly Write[])[] = [];
  readonly #findings: Finding[] = [];
  #followers: Follower[] = [];

  constructor(
    stage: SocketStage,
    world: World,
    schema: SchemaModel,
    random: Random,
    options: SocketTrialOptions,
    statistics: Statistics,
  ) {
    this.#stage = stage;
    this.#world = world;
    this.#schema = schema;
    this.#random = random;
    this.#options = options;
    this.#statistics = statistics;
    this.#rows = firstRows(random.fork('rows'), schema.tables);
  }

  async run(): Promise<readonly Finding[]> {
    const { queries, transactions, deadline } = this.#options;
    await this.#world.transact(this.#rows.map(writeSql));
    for (let at = 0; at < queries; at++) await this.#watch(this.#random.fork(`query ${at}`));
    await this.#compare();
    const writing = this.#random.fork('writes');
    const hurry = this.#random.fork('hurry');
    for (let left = transactions; left > 0 && Date.now() < deadline; left--) {
      const writes = randomTransaction(writing, this.#schema.tables);
      this.#history.push(writes);
      await this.#world.transact(writes.map(writeSql));
      if (left === 1 || !hurry.chance(HURRIED)) await this.#compare();
    }
    return this.#findings;
  }

  async #watch(random: Random): Promise<void> {
    const options = { paramsMax: random.chance(0.5) ? 2 : 0, raising: 0 };
    const { made, params } = randomQuery(random, relationsOf(this.#schema), options);
    const bindings = [0, 1].map((at) => params.map(({ values }) => values[at % values.length] ?? null));
    const { query } = caseOf(this.#model({ made, bindings }), '');
    const prepared = await this.#world.prepare(query.sql);
    if (prepared === null) return void this.#statistics.refuse(query.sql);
    const known: readonly (readonly PgText[])[] = await this.#world.allCanonical(
      prepared.types,
      query.bindings,
    );
    for (const binding of known.slice(0, params.length === 0 ? 1 : 2)) {
      const question = { world: this.#world, query, prepared, binding, errors: false };
      this.#followers.push({ made, bindings, watched: new WatchedQuery(this.#stage, question), last: '' });
    }
  }

  async #compare(): Promise<void> {
    await settle(
      this.#stage,
      this.#followers.map(({ watched }) => watched),
      PATIENCE_MS,
    );
    const left: Follower[] = [];
    for (const one of this.#followers)
      if (await this.#isRight(one)) left.push(one);
      else one.watched.close();
    this.#followers = left;
  }

  /** @returns whether it is watched further */
  async #isRight(one: Follower): Promise<boolean> {
    const { question, isRefused, isSettled, held, gear, state } = one.watched;
    const { query, prepared, binding } = question;
    if (isRefused) {
      this.#statistics.refuse(query.sql);
      return false;
    }
    const truth = await this.#world.ask(prepared, binding);
    const text = truth.kind === 'error' ? 'error' : truth.rows.length === 0 ? '' : sortedText(truth.rows);
    const compared = { isEmpty: text === '' && one.last === '', changed: text !== one.last };
    one.last = text;
    const verdict = await (this.#options.judged ?? judge)(question, truth, held);
    const isWrong = typeof verdict === 'object';
    const counted = { ...compared, sql: query.sql, isError: held === null, gear };
    this.#statistics.count(isWrong ? 'wrong' : verdict, counted);
    if (isWrong)
      this.#findings.push({
        model: this.#model(one),
        late: !isSettled,
        wrong: `binding ${JSON.stringify(binding)}, after transaction ${this.#history.length}, ${state}\n${verdict.wrong}`,
      });
    return verdict === 'equal';
  }

  #model({ made, bindings }: Pick<Follower, 'made' | 'bindings'>): Model {
    return { ...this.#schema, rows: this.#rows, transactions: [...this.#history], made, bindings };
  }
}
