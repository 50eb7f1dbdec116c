import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { commitToken } from '@sluice/server/commit-token';
import type { Random } from '../kit/random.js';
import type { Outcome } from './reaches.js';
import { DDL_MESSAGE } from './pgoutput.js';
import type { SchemaSession, SchemaStep, WriteSession, WriteStep } from './workload.js';

export interface WritersOptions {
  readonly url: string;
  readonly random: Random;
  readonly steps: readonly WriteStep[];
  /** Made by one session more, each alone in a transaction. */
  readonly schemaSteps?: readonly SchemaStep[];
  /** Between two of them: at least and at most. */
  readonly schemaPauseMs?: readonly [number, number];
  readonly sessions: number;
  /** Between two transactions of a session, at random up to this. */
  readonly pauseMsMax: number;
  /** Run around each COMMIT, to serialise commits where a test needs to know their order. */
  readonly commit?: (commit: () => Promise<void>) => Promise<void>;
  /** Given a commit token, made as an application makes it: before its transaction ends, or after. */
  readonly token?: (token: string, outcome: Outcome) => void;
  /** Called when a transaction could not fail for a reason of its own: writes never fail because of us (P6). */
  readonly failed: (message: string) => void;
  /** Postgres is being restarted on purpose: errors of the connection are expected. */
  readonly disturbed?: () => boolean;
}

/** What concurrent sessions do to each other: no fault of anyone. */
const EXPECTED = new Set(['23505', '23503', '40001', '40P01', '22003', '23514', '55P03']);
/** How long DDL waits for those before it, and lets others wait behind it. */
const DDL_LOCK_TIMEOUT = '2s';
const CONNECT_RETRY_MS = 100;

/**
 * Sessions that write at random: several steps in one transaction, rollbacks, savepoints that are rolled back or
 * released, transactions that stay open while others commit, single statements that commit by themselves.
 */
export class Writers {
  readonly #options: WritersOptions;
  readonly counts: Record<string, number> = {};
  /** Transactions that committed. */
  committed = 0;
  readonly #stop = new AbortController();
  readonly #stopSchema = new AbortController();
  #running: Promise<void>[] = [];
  #altering: Promise<void> = Promise.resolve();
  /** Connections that a disturbance broke while they were idle. */
  readonly #broken = new WeakSet<pg.Client>();

  constructor(options: WritersOptions) {
    this.#options = options;
  }

  start(): void {
    for (let i = 0; i < this.#options.sessions; i++)
      this.#running.push(this.#write(this.#options.random.fork(`writer ${i}`)));
    const { schemaSteps = [], random } = this.#options;
    if (schemaSteps.length > 0) this.#altering = this.#alter(schemaSteps, random.fork('schema'));
  }

  /** The schema stays as it is from here on. */
  async stopAltering(): Promise<void> {
    this.#stopSchema.abort();
    await this.#altering;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.stopAltering();
    await Promise.all(this.#running);
    this.#running = [];
  }

  #write(random: Random): Promise<void> {
    return this.#session(
      (client) => this.#transaction(client, random),
      () => random.int(this.#options.pauseMsMax + 1),
      this.#stop.signal,
    );
  }

  #alter(steps: readonly SchemaStep[], random: Random): Promise<void> {
    const [least, most] = this.#options.schemaPauseMs ?? [500, 5000];
    return this.#session(
      (client) => this.#schemaStep(client, random.pick(steps), random),
      () => random.between(least, most),
      this.#stopSchema.signal,
    );
  }

  async #session(
    work: (client: pg.Client) => Promise<void>,
    pauseMs: () => number,
    signal: AbortSignal,
  ): Promise<void> {
    let client: pg.Client | null = null;
    while (!signal.aborted) {
      if (client && this.#broken.has(client)) client = null;
      client ??= await this.#connect();
      if (!client) continue;
      try {
        await work(client);
      } catch (error) {
        const { code, message } = error as Error & { code?: string };
        if (code !== undefined && EXPECTED.has(code)) await client.query('ROLLBACK').catch(() => undefined);
        else {
          if (this.#options.disturbed?.() !== true) this.#options.failed(`${code ?? 'no code'} ${message}`);
          client.end().catch(() => undefined);
          client = null;
        }
      }
      await sleep(pauseMs(), undefined, { signal }).catch(() => undefined);
    }
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<pg.Client | null> {
    const client = new pg.Client({ connectionString: this.#options.url });
    client.on('error', () => {
      if (this.#options.disturbed?.() === true) this.#broken.add(client);
    });
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (this.#options.disturbed?.() !== true) this.#options.failed((error as Error).message);
      client.end().catch(() => undefined);
      await sleep(CONNECT_RETRY_MS);
      return null;
    }
  }

  async #transaction(client: pg.Client, random: Random): Promise<void> {
    const session: WriteSession = {
      sql: async (text, params) => (await client.query(text, params ? [...params] : undefined)).rows,
    };
    const style = random.float();
    await client.query('BEGIN');
    const count = style < 0.6 ? 1 : random.between(2, 4);
    for (let i = 0; i < count; i++) await this.#step(session, random);
    const told = random.chance(0.2) ? await this.#token(client, random) : null;
    if (style > 0.97) await sleep(random.between(100, 800)); // others commit meanwhile, with higher xids
    if (random.chance(0.06)) {
      this.#count('rollback');
      await client.query('ROLLBACK');
      told?.('rolled back');
      return;
    }
    const commit = async (): Promise<void> => void (await client.query('COMMIT'));
    try {
      if (this.#options.commit) await this.#options.commit(commit);
      else await commit();
    } catch (error) {
      told?.('unknown');
      throw error;
    }
    this.committed++;
    told?.('committed');
  }

  async #schemaStep(client: pg.Client, step: SchemaStep, random: Random): Promise<void> {
    this.#count(step.name);
    await client.query(`SET lock_timeout = '${DDL_LOCK_TIMEOUT}'`);
    if (step.alone !== undefined) {
      await client.query(step.alone);
      return;
    }
    await client.query('BEGIN');
    await step.run(schemaSession(client), random);
    await client.query(random.chance(0.1) ? 'ROLLBACK' : 'COMMIT');
  }

  /**
   * A commit token, as applications make them (C26): its place in the stream must not tear the transaction.
   * @returns what is to be told how the transaction ended
   */
  async #token(client: pg.Client, random: Random): Promise<(state: Outcome['state']) => void> {
    this.#count('commit token');
    const token = await commitToken(client);
    const outcome: Outcome = { state: 'open' };
    const early = random.chance(0.3);
    if (early) this.#options.token?.(token, outcome);
    return (state) => {
      outcome.state = state;
      if (!early) this.#options.token?.(token, outcome);
    };
  }

  async #step(session: WriteSession, random: Random): Promise<void> {
    const step = random.weighted(this.#options.steps);
    this.#count(step.name);
    if (!random.chance(0.15)) return step.run(session, random);
    const undo = random.chance(0.6);
    this.#count(undo ? 'savepoint rolled back' : 'savepoint released');
    await session.sql('SAVEPOINT s');
    await step.run(session, random);
    await session.sql(undo ? 'ROLLBACK TO s' : 'RELEASE s');
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }
}

/** Inside a transaction that `client` has opened. */
export function schemaSession(client: pg.ClientBase): SchemaSession {
  const sql: WriteSession['sql'] = async (text, params) =>
    (await client.query(text, params ? [...params] : undefined)).rows;
  return {
    sql,
    ddl: async (text, affects) => {
      const content = JSON.stringify({ sql: text, affects });
      await sql(`SELECT pg_logical_emit_message(true, $1, $2)`, [DDL_MESSAGE, content]);
      await sql(text);
    },
  };
}
