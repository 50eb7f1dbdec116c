import type { PgText } from '@sluice/core/value';
import { Random } from '../kit/random.js';
import { FollowedQuery, planOf, type Held } from './followed-query.js';
import { judge, sortedText, textOf, type Rows } from './judgement.js';
import { whole, type Made } from './made-query.js';
import { caseOf, relationsOf, schemaSql, type Model } from './model.js';
import { randomQuery } from './random-query.js';
import { randomTables, type SchemaModel, type ViewModel } from './random-schema.js';
import { firstRows, randomTransaction, writeSql, type Write } from './random-writes.js';
import { print } from './sql-tree.js';
import type { Statistics } from './statistics.js';
import { eventsOf, hash, type Events } from './stream.js';
import { World, type Contents, type Outcome, type Prepared } from './world.js';

export interface TrialOptions {
  readonly url: string;
  /** Of everything in it. */
  readonly seed: string;
  readonly queries: number;
  readonly transactions: number;
  /** Whether an answer where Postgres raises an error is a finding. */
  readonly errors: boolean;
  /** An end that cuts it short. */
  readonly deadline: number;
}

/** What was found, in full: what led there, and what is wrong. */
export interface Finding {
  readonly model: Model;
  readonly wrong: string;
  /** What is wrong is that an answer has not come in time. */
  readonly late: boolean;
}

/** A binding is let go when Postgres's answer has not changed so many times that it was asked. */
const QUIET_MAX = 1;
/** Where the engine's answer has not changed, Postgres is asked one time of so many. */
const LOOK_EVERY = 10;

/** Share of the queries that are followed whether or not they have an answer at first. */
const BARREN = 0.2;

/** One random schema with its queries and its history: after each transaction every answer is compared with Postgres's. */
export async function runTrial(options: TrialOptions, statistics: Statistics): Promise<readonly Finding[]> {
  const random = new Random(options.seed);
  const schema = await usableSchema(options, random.fork('schema'));
  const world = await World.open(options.url, `w_${options.seed.replaceAll(/\W/g, '_')}`, schemaSql(schema));
  try {
    return await new Trial(options, statistics, world, schema, random).run();
  } finally {
    await world.close();
  }
}

/** Tables, and views over them that Postgres takes. */
export async function usableSchema(
  { url, seed }: Pick<TrialOptions, 'url' | 'seed'>,
  random: Random,
): Promise<SchemaModel> {
  const tables = randomTables(random);
  const world = await World.open(url, `v_${seed.replaceAll(/\W/g, '_')}`, schemaSql({ tables, views: [] }));
  try {
    const views: ViewModel[] = [];
    for (let count = random.int(3), at = 0; at < count; at++) {
      const { made } = randomQuery(random.fork(`view ${at}`), relationsOf({ tables, views: [] }), {
        paramsMax: 0,
        raising: 0,
      });
      const view = { name: `v${at}`, query: whole({ ...made, limit: '' }), columns: made.columns };
      const isTaken = await world.client.query(`CREATE VIEW ${view.name} AS ${print(view.query).text}`).then(
        () => true,
        () => false,
      );
      if (isTaken) views.push(view);
    }
    return { tables, views };
  } finally {
    await world.close();
  }
}

interface Follower {
  readonly made: Made;
  readonly params: readonly (readonly PgText[])[];
  readonly query: ReturnType<typeof caseOf>['query'];
  readonly prepared: Prepared;
  readonly known: readonly (readonly PgText[])[];
  readonly followed: FollowedQuery;
  /** What each binding showed last, and for how long it has not changed; null: not followed any more. */
  readonly shown: (Shown | null)[];
}

interface Shown {
  readonly text: string;
  /** What the engine held. */
  readonly held: string;
  readonly quiet: number;
}

const FIRST: Shown = { text: '', held: 'nothing yet', quiet: 0 };

/** What is held of one binding, when Postgres is asked. */
interface Look {
  readonly follower: Follower;
  readonly at: number;
  readonly binding: readonly PgText[];
  readonly held: Held;
  readonly heldText: string;
}

class Trial {
  readonly #options: TrialOptions;
  readonly #statistics: Statistics;
  readonly #world: World;
  readonly #schema: SchemaModel;
  readonly #random: Random;
  readonly #rows: readonly Write[];
  readonly #history: (readonly Write[])[] = [];
  #followers: Follower[] = [];
  readonly #findings: Finding[] = [];

  constructor(
    options: TrialOptions,
    statistics: Statistics,
    world: World,
    schema: SchemaModel,
    random: Random,
  ) {
    this.#options = options;
    this.#statistics = statistics;
    this.#world = world;
    this.#schema = schema;
    this.#random = random;
    this.#rows = firstRows(random.fork('rows'), schema.tables);
  }

  async run(): Promise<readonly Finding[]> {
    const world = this.#world;
    await world.transact(this.#rows.map(writeSql));
    let now = await world.contents();
    for (let at = 0; at < this.#options.queries && Date.now() < this.#options.deadline; at++) {
      const follower = await this.#follow(this.#random.fork(`query ${at}`), now);
      if (follower !== null) this.#followers.push(follower);
    }
    await this.#compare();
    const writing = this.#random.fork('writes');
    for (
      let turn = 0;
      turn < this.#options.transactions && this.#followers.length > 0 && Date.now() < this.#options.deadline;
      turn++
    ) {
      const writes = randomTransaction(writing, this.#schema.tables);
      this.#history.push(writes);
      const events: Events = new Map();
      await world.transact(writes.map(writeSql), (statement, after) => {
        eventsOf(world.tables, statement, now, after, events);
        now = after;
      });
      if (events.size === 0) continue;
      for (const follower of this.#followers) await this.#step(follower, events, now);
      await this.#compare();
      this.#followers = this.#followers.filter(({ shown }) => shown.some((one) => one !== null));
    }
    return this.#findings;
  }

  async #follow(random: Random, now: Contents): Promise<Follower | null> {
    const world = this.#world;
    const { made, params } = randomQuery(random, relationsOf(this.#schema), {
      paramsMax: random.chance(0.5) ? 2 : 0,
      raising: random.chance(0.1) ? 0.3 : 0,
    });
    const count = params.length === 0 ? 1 : 3;
    const bindings = Array.from({ length: count }, (_, at) =>
      params.map(({ values }) => values[at % values.length] ?? null),
    );
    const { query } = caseOf(this.#model(made, bindings), '');
    const prepared = await world.prepare(query.sql);
    if (prepared === null) return this.#statistics.refuse(query.sql);
    const usable = unique(await world.allCanonical(prepared.types, query.bindings));
    if (usable.length === 0) return this.#statistics.refuse(query.sql);
    if (await this.#isBarren(prepared, usable, random)) {
      this.#statistics.barren++;
      await world.forget(prepared);
      return null;
    }
    const planned = await this.#attempt(made, bindings, () => planOf(world, query.sql, prepared.types));
    if (planned === null) return null;
    this.#statistics.plan(planned);
    if (typeof planned === 'string') {
      await world.forget(prepared);
      return null;
    }
    const follower = await this.#attempt(made, bindings, async () => {
      const followed = new FollowedQuery(world, planned, usable);
      await followed.load(now);
      return {
        made,
        params: bindings,
        query,
        prepared,
        known: usable,
        followed,
        shown: usable.map(() => FIRST),
      };
    });
    return follower;
  }

  /** A query that has no answer now seldom has one later: of those most are left out, since nothing is compared of them. */
  async #isBarren(
    prepared: Prepared,
    bindings: readonly (readonly PgText[])[],
    random: Random,
  ): Promise<boolean> {
    if (random.chance(BARREN)) return false;
    const outcomes = await this.#world.askAll(bindings.map((binding) => [prepared, binding]));
    return outcomes.every((outcome) => outcome.kind === 'error' || outcome.rows.length === 0);
  }

  async #step(follower: Follower, events: Events, now: Contents): Promise<void> {
    const done = await this.#attempt(follower.made, follower.params, async () => {
      await follower.followed.apply(events, now);
      return true;
    });
    if (done === null) follower.shown.fill(null);
  }

  /** Asks Postgres for what all followers hold, together, and judges it. */
  async #compare(): Promise<void> {
    const looks: Look[] = [];
    for (const follower of this.#followers) looks.push(...(await this.#looksAt(follower)));
    const truths = await this.#world.askAll(
      looks.map(({ follower: { prepared }, binding }) => [prepared, binding]),
    );
    for (const [at, truth] of truths.entries()) {
      const look = looks[at];
      if (look !== undefined && look.follower.shown[look.at] !== null) await this.#judge(look, truth);
    }
  }

  /** What Postgres is asked about one follower. */
  async #looksAt(follower: Follower): Promise<readonly Look[]> {
    const looks: Look[] = [];
    for (const [at, binding] of follower.known.entries()) {
      const shown = follower.shown[at] ?? null;
      if (shown === null) continue;
      const held = await this.#attempt(follower.made, follower.params, () => follower.followed.held(at));
      if (held === null) {
        follower.shown.fill(null);
        return [];
      }
      const heldText = held === 'missed' ? '' : textOf(held);
      const isLooked = hash(`${this.#history.length} ${at} ${follower.query.sql}`) % LOOK_EVERY === 0;
      if (held === 'missed' || heldText !== shown.held || isLooked)
        looks.push({ follower, at, binding, held, heldText });
    }
    return looks;
  }

  async #judge({ follower, at, binding, held, heldText }: Look, truth: Outcome): Promise<void> {
    const { query, prepared, shown } = follower;
    const last = shown[at] ?? FIRST;
    const rows: Rows | null = truth.kind === 'rows' ? truth.rows : null;
    const text = rows === null ? 'error' : rows.length === 0 ? '' : sortedText(rows);
    const isFirst = last.held === FIRST.held;
    const changed = !isFirst && text !== last.text;
    const quiet = changed || isFirst ? 0 : last.quiet + 1;
    shown[at] = quiet > QUIET_MAX ? null : { text, held: heldText, quiet };
    const isEmpty = text === '' && last.text === '';
    const question = { world: this.#world, query, prepared, binding, errors: this.#options.errors };
    const verdict = held === 'missed' ? 'missed' : await judge(question, truth, held);
    this.#statistics.count(typeof verdict === 'object' ? 'wrong' : verdict, {
      sql: query.sql,
      isEmpty,
      changed,
      isError: rows === null,
    });
    if (typeof verdict === 'object')
      this.#find(follower.made, follower.params, `binding ${JSON.stringify(binding)}\n${verdict.wrong}`);
    if (verdict !== 'equal' && verdict !== 'missed') shown.fill(null);
  }

  /** What the engine or the planner throws is a finding as well. */
  async #attempt<T>(
    made: Made,
    bindings: readonly (readonly PgText[])[],
    work: () => T | Promise<T>,
  ): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.#find(
        made,
        bindings,
        `it fails: ${error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' ') : String(error)}`,
      );
      return null;
    }
  }

  #find(made: Made, bindings: readonly (readonly PgText[])[], wrong: string): void {
    this.#findings.push({ model: this.#model(made, bindings), wrong, late: false });
  }

  #model(made: Made, bindings: readonly (readonly PgText[])[]): Model {
    return { ...this.#schema, rows: this.#rows, transactions: [...this.#history], made, bindings };
  }
}

function unique(bindings: readonly (readonly PgText[])[]): readonly (readonly PgText[])[] {
  return [...new Map(bindings.map((binding) => [JSON.stringify(binding), binding])).values()];
}
