import { createClient, encodeParams, type Client, type LiveView, type Shape } from '@sluice/client';
import { must } from '@sluice/core/assert';
import { propertyNames } from '@sluice/core/row-decoder';
import { createSluice, type QueryText } from '@sluice/server';
import { OUTPUT_SETTINGS } from '@sluice/server/source/database';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { CLIENT_ROLE, type TestDatabase } from '@sluice/server/testing/postgres';
import pg from 'pg';
import { answerOf, diffOf, errorAnswer, type Answer, type TextRow } from '../judge/answer.js';
import type { Subscribed } from './corpus.js';
import { areAmong, cutOtherwise, isListedOtherwise, sameOrder, uncut } from './same-order.js';

// Many queries of others, live through one server; and Postgres, which is asked the same.

interface Opened extends Subscribed {
  readonly view: LiveView;
  /** A digest of what Postgres said last, to know whether a comparison shows anything. */
  before: string;
  /** It was wrong once: enough of it. */
  isWrong: boolean;
}

/** One comparison that does not hold. */
export interface Wrong {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly gear: string | null;
  readonly lines: readonly string[];
}

/** What comparing all of them once came to. */
export interface Compared {
  readonly equal: number;
  /** Of those that are equal: what Postgres says is something else than the time before. */
  readonly changed: number;
  /** The same, in the incremental gear. */
  readonly changedIncremental: number;
  /** Postgres itself gives several answers: as it reads in another order, it puts equals in another order. */
  readonly open: number;
  /** The same rows, of which equal ones stand in another order, or those whose order cannot be told from outside. */
  readonly tied: number;
  readonly wrong: readonly Wrong[];
}

/** How one query is kept. */
export interface Kept extends Subscribed {
  readonly gear: 'incremental' | 'rerun' | 'refused';
  /** Why it is not incremental. */
  readonly reason: string;
}

/** Subscriptions of one connection: below `limits.subscriptionsMax`. */
const PER_CLIENT = 200;
const LOOK_MS = 20;

/** Other ways for Postgres to find the same. Where they differ the query leaves something open. */
const OTHER_WAYS: readonly string[] = [
  'SET enable_seqscan = off',
  'SET enable_hashjoin = off; SET enable_hashagg = off',
  'SET enable_nestloop = off; SET enable_sort = off; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_incremental_sort = off',
];

export class Watched {
  readonly #truth: pg.Client;
  readonly #sluice: { stop(): Promise<void> };
  readonly #clients: readonly Client[];
  readonly #opened: readonly Opened[];

  private constructor(
    truth: pg.Client,
    sluice: { stop(): Promise<void> },
    clients: readonly Client[],
    opened: readonly Opened[],
  ) {
    this.#truth = truth;
    this.#sluice = sluice;
    this.#clients = clients;
    this.#opened = opened;
  }

  /** All of them live on a database that is published, each with its first answer. */
  static async open(
    database: TestDatabase,
    queries: readonly Subscribed[],
    withinMs = 2 * PATIENCE_MS,
  ): Promise<Watched> {
    const truth = await clientRole(database);
    const sluice = createSluice({
      database: database.url,
      port: 0,
      logLevel: 'silent',
      queries: { any: ({ args }) => args as QueryText & { readonly params: readonly unknown[] } },
    });
    const url = await sluice.listen();
    const clients = Array.from(
      { length: Math.ceil(queries.length / PER_CLIENT) },
      () => createClient({ url, values: 'text' }).client,
    );
    const opened = queries.map((query, at): Opened => {
      const client = clients[Math.floor(at / PER_CLIENT)];
      if (client === undefined) throw new Error('assertion failed: a client for each query');
      const args = { sql: query.sql, params: encodeParams(query.params) };
      return { ...query, view: client.live({ query: 'any', args }), before: '', isWrong: false };
    });
    const watched = new Watched(truth, sluice, clients, opened);
    try {
      await watched.#settled(withinMs);
    } catch (error) {
      await watched.close();
      throw error;
    }
    return watched;
  }

  kept(): readonly Kept[] {
    return this.#opened.map(({ sql, params, view }) => {
      if (view.gear !== null) return { sql, params, gear: view.gear, reason: view.reason ?? '' };
      return { sql, params, gear: 'refused', reason: view.error?.code ?? view.status };
    });
  }

  /** Everything shown is what Postgres says at this position; nobody may be writing. */
  async compare(): Promise<Compared> {
    await this.#reached();
    const wrong: Wrong[] = [];
    const counts = { equal: 0, changed: 0, changedIncremental: 0, open: 0, tied: 0 };
    for (const one of this.#opened) {
      if (one.view.gear === null || one.isWrong) continue;
      const right = await ask(this.#truth, one);
      const seen = await this.#shownInTheEnd(one, right);
      if (!isSame(right, seen)) {
        const verdict = await this.#secondLook(one, seen);
        if (verdict === 'open' || verdict === 'tied') counts[verdict]++;
        else if (verdict === 'wrong') {
          one.isWrong = true;
          wrong.push({ sql: one.sql, params: one.params, gear: one.view.gear, lines: diffOf(right, seen) });
        }
        if (verdict !== 'equal') continue;
      }
      counts.equal++;
      if (right.digest === one.before) continue;
      counts.changed++;
      if (one.view.gear === 'incremental') counts.changedIncremental++;
      one.before = right.digest;
    }
    return { ...counts, wrong };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#truth.end();
    await this.#sluice.stop();
  }

  /** Nothing tells whether an error is the answer of now, or of before while the next one is on its way. */
  async #shownInTheEnd({ view }: Opened, right: Answer): Promise<Answer> {
    const deadline = Date.now() + 2 * PATIENCE_MS;
    while (view.error !== null && right.kind !== 'error' && Date.now() < deadline) await soon();
    if (view.error === null) await this.#settled(2 * PATIENCE_MS);
    return shown(view);
  }

  /** Postgres may find several answers to one query; what is shown has to be one that it would give. */
  async #secondLook(one: Opened, seen: Answer): Promise<'equal' | 'open' | 'tied' | 'wrong'> {
    const answers: Answer[] = [await ask(this.#truth, one)];
    if (answers.some((answer) => isTied(one, answer, seen))) return 'tied';
    const [right] = answers;
    if (right?.kind === 'rows' && seen.kind === 'rows' && isListedOtherwise(one.sql, right.rows, seen.rows))
      return 'open';
    if (await this.#isCutOtherwise(one, must(right, 'an answer'), seen)) return 'open';
    for (const sql of cutOtherwise(one.sql))
      if (isSame(await ask(this.#truth, { ...one, sql }), seen)) return 'open';
    for (const settings of OTHER_WAYS) {
      await this.#truth.query(settings);
      answers.push(await ask(this.#truth, one));
      for (const name of settings.matchAll(/enable_\w+/g)) await this.#truth.query(`RESET ${name[0]}`);
    }
    if (answers.some((answer) => isSame(answer, seen))) return 'equal';
    return new Set(answers.map(({ digest }) => digest)).size > 1 ? 'open' : 'wrong';
  }

  /** LIMIT cuts among equal rows, and others of these are shown: as many, in the same order. */
  async #isCutOtherwise(one: Opened, right: Answer, seen: Answer): Promise<boolean> {
    const sql = uncut(one.sql);
    if (sql === null || right.kind === 'error' || seen.kind === 'error') return false;
    const names = (one.view.shape?.columns ?? []).map(({ name }) => name);
    if (sameOrder(one.sql, names, right.rows, seen.rows) !== true) return false;
    const all = await ask(this.#truth, { ...one, sql });
    return all.kind !== 'error' && areAmong(seen.rows, all.rows);
  }

  async #reached(): Promise<void> {
    const { rows } = await this.#truth.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    await Promise.all(
      this.#clients.map((client) => client.reached(rows[0]?.lsn ?? '', { timeoutMs: 2 * PATIENCE_MS })),
    );
    await this.#settled(2 * PATIENCE_MS);
  }

  /** Every view has its answer, be it an error. */
  async #settled(withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const waiting = this.#opened.filter(
        ({ view }) => view.status !== 'current' && view.error?.retry !== false,
      );
      if (waiting.length === 0) return;
      if (Date.now() > deadline)
        throw new Error(
          `no answer from ${waiting.length}:\n${waiting
            .slice(0, 5)
            .map(({ view, sql }) => `${view.status} ${view.error?.code ?? ''} ${sql}`)
            .join('\n')}`,
        );
      await soon();
    }
  }
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function isSame(right: Answer, seen: Answer): boolean {
  if (right.kind !== seen.kind) return false;
  return right.kind === 'error' || right.digest === seen.digest;
}

/** The same rows in another order, which is the query's order as far as can be told. */
function isTied({ sql, view: { shape } }: Opened, right: Answer, seen: Answer): boolean {
  if (right.kind === 'error' || seen.kind === 'error' || shape?.ordered !== true) return false;
  if (answerOf(right.rows, false).digest !== answerOf(seen.rows, false).digest) return false;
  return (
    sameOrder(
      sql,
      shape.columns.map(({ name }) => name),
      right.rows,
      seen.rows,
    ) !== false
  );
}

async function ask(truth: pg.Client, { sql, params, view }: Opened): Promise<Answer> {
  try {
    const values = [...encodeParams(params)];
    const result = await truth.query<(string | null)[]>({ text: sql, values, rowMode: 'array' });
    return answerOf(result.rows, view.shape?.ordered === true);
  } catch (error) {
    return errorAnswer(String(error));
  }
}

function shown(view: LiveView): Answer {
  if (view.error !== null) return errorAnswer(`${view.error.code} ${view.error.detail ?? ''}`);
  const { shape } = view;
  return answerOf(
    view.rows.map((row) => texts(row, shape)),
    shape?.ordered === true,
  );
}

function texts(row: object, shape: Shape | null): TextRow {
  return propertyNames(shape ?? { columns: [], ordered: false }).map(
    (name) => Reflect.get(row, name) as string | null,
  );
}

/** What is not followed in time is asked on while the server is stopped: who asks next is told, nobody else need be. */
export function outlive(client: pg.Client): void {
  client.on('error', () => {});
}

/** A connection as the clients' role, with the settings under which values are printed. */
async function clientRole(database: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, types: { getTypeParser: () => String } });
  outlive(client);
  await client.connect();
  await client.query(`SET ROLE ${CLIENT_ROLE}; SET request.jwt.claims = '{}'`);
  for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) await client.query(`SET ${name} = '${value}'`);
  return client;
}
