import { SluiceError } from '@sluice/core/errors';
import pg from 'pg';
import { clientConfig, type ConnectionConfig } from './connection-config.js';
import { sourceError } from './errors.js';
import { fromPostgres } from './postgres-errors.js';
import { TooManyBytes } from './byte-count.js';
import { countedText, RAW_TEXT, toResult } from './run-on.js';
import type { Run, RunOptions, RunResult } from './source.js';

export interface DatabaseOptions {
  /** A URL, or its parts. */
  readonly connection: string | ConnectionConfig;
  /** Connections at most. Default 8. */
  readonly poolMax?: number;
  /** How long a caller waits for a free connection. Default 30 s. */
  readonly poolWaitMs?: number;
  /** How long a statement may stay unanswered before its connection counts as dead. Default 60 s. */
  readonly answerTimeoutMs?: number;
}

export interface AnswerOptions {
  /** Instead of the pool's `answerTimeoutMs`. */
  readonly answerTimeoutMs?: number;
}

export interface TransactionOptions extends AnswerOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
  /** Statements without parameters that go with BEGIN in the same round trip; the work is given their results. */
  readonly first?: readonly string[];
}

/**
 * The settings that fix how Postgres prints values: the same for the stream and for every snapshot, so that a value
 * is the same text wherever it comes from.
 */
export const OUTPUT_SETTINGS: Readonly<Record<string, string>> = {
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
};

/**
 * The settings under which a text means to Postgres what it means to the parser, whatever those of the database: with
 * other rules for quotes, what was parsed as a string could be run as code.
 */
const READING_SETTINGS: Readonly<Record<string, string>> = {
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  array_nulls: 'on',
};

/** `SET` (or `SET LOCAL`) for each of the output settings. */
export function outputSettings(command: 'SET' | 'SET LOCAL'): string[] {
  return setEach(command, OUTPUT_SETTINGS);
}

/** For a transaction in which a client's text is planned or run. */
export function querySettings(): string[] {
  return setEach('SET LOCAL', { ...OUTPUT_SETTINGS, ...READING_SETTINGS });
}

function setEach(command: string, settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).map(([name, value]) => `${command} ${name} = '${value}'`);
}

const POOL_MAX = 8;
const POOL_WAIT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 60_000;

/**
 * A bounded pool of connections in text mode. Uses nothing that outlives a transaction (no session settings, no named
 * statements), so that it works through a transaction pooler. Its errors are registered ones.
 */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #pool: pg.Pool;
  readonly #waitMs: number;
  readonly #answerMs: number;
  #ended: Promise<void> | null = null;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#waitMs = options.poolWaitMs ?? POOL_WAIT_MS;
    this.#answerMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    const config = clientConfig(options.connection);
    this.#pool = new pg.Pool({ ...config, max: options.poolMax ?? POOL_MAX, idleTimeoutMillis: 30_000 });
    this.#pool.on('error', () => undefined); // an idle connection broke: the pool forgets it
    // One that breaks while it is handed over has nobody to tell; its next statement fails.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /** Another pool to the same database, for what must not wait behind the queries of this one. */
  sibling(options: Pick<DatabaseOptions, 'poolMax' | 'poolWaitMs' | 'answerTimeoutMs'>): Database {
    return new Database({ ...this.#options, ...options });
  }

  /** Connections open, of them idle, and callers that wait for one. */
  get connections(): { readonly open: number; readonly idle: number; readonly waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** One statement, on its own. The output settings are those of the role, not ours: for catalog reads. */
  async query(
    sql: string,
    params: readonly (string | null)[] = [],
    options: AnswerOptions = {},
  ): Promise<RunResult> {
    return this.#withClient((client) => run(client, sql, params, options.answerTimeoutMs ?? this.#answerMs));
  }

  /**
   * Runs work inside a transaction: committed when it resolves, rolled back when it throws.
   * @returns what the work returned.
   */
  async transaction<T>(
    options: TransactionOptions,
    work: (run: Run, first: readonly RunResult[]) => Promise<T>,
  ): Promise<T> {
    const answerMs = options.answerTimeoutMs ?? this.#answerMs;
    return this.#withClient(async (client) => {
      const first = await script(client, [begin(options), ...(options.first ?? [])], answerMs);
      const result = await work(
        (sql, params = [], bound = {}) => run(client, sql, params, answerMs, bound),
        first.slice(1),
      );
      await script(client, ['COMMIT'], answerMs);
      return result;
    });
  }

  /** Several statements of ours, without parameters, as one transaction in one round trip. */
  async script(statements: readonly string[], options: AnswerOptions = {}): Promise<readonly RunResult[]> {
    const all = ['BEGIN', ...statements, 'COMMIT'];
    const results = await this.#withClient((client) =>
      script(client, all, options.answerTimeoutMs ?? this.#answerMs),
    );
    return results.slice(1, -1);
  }

  /** A connection of the pool, for what needs the protocol itself. The caller releases it. */
  connect(): Promise<pg.PoolClient> {
    return this.#connect();
  }

  /** Closes every connection once its work is done. */
  async end(): Promise<void> {
    this.#ended ??= this.#pool.end();
    await this.#ended;
  }

  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken = false;
    const breaks = (): void => void (broken = true);
    client.on('error', breaks);
    try {
      return await work(client);
    } catch (error) {
      broken ||= !(await rolledBack(client, error));
      throw error;
    } finally {
      client.removeListener('error', breaks);
      client.release(broken);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    const connecting = this.#pool.connect();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(sourceError('database_pool_busy')), this.#waitMs);
    });
    try {
      return await Promise.race([connecting, late]);
    } catch (error) {
      connecting.then(
        (client) => client.release(),
        () => undefined,
      );
      throw fromPostgres(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

function begin(options: TransactionOptions): string {
  const isolation =
    options.isolation === undefined ? '' : ` ISOLATION LEVEL ${options.isolation.toUpperCase()}`;
  return `BEGIN${isolation}${options.readOnly === true ? ' READ ONLY' : ''}`;
}

/** The extended protocol, also without parameters: it takes one statement only. */
async function run(
  client: pg.PoolClient,
  text: string,
  params: readonly (string | null)[],
  answerMs: number,
  { bytes }: RunOptions = {},
): Promise<RunResult> {
  const types = bytes === undefined ? RAW_TEXT : countedText(bytes);
  const config = { text, values: [...params], rowMode: 'array' as const, types };
  const driver = { ...config, queryMode: 'extended', query_timeout: answerMs };
  try {
    return toResult(await client.query<(string | null)[]>(driver));
  } catch (error) {
    throw error instanceof TooManyBytes ? error : fromPostgres(error);
  }
}

/** The simple protocol: many statements, one round trip. */
async function script(
  client: pg.PoolClient,
  statements: readonly string[],
  answerMs: number,
): Promise<RunResult[]> {
  const config = { text: statements.join('; '), rowMode: 'array' as const, types: RAW_TEXT };
  try {
    const driver = { ...config, query_timeout: answerMs };
    const results: unknown = await client.query(driver);
    const list = Array.isArray(results) ? results : [results];
    return (list as pg.QueryArrayResult<(string | null)[]>[]).map(toResult);
  } catch (error) {
    throw fromPostgres(error);
  }
}

/** Leaves the connection without a transaction. @returns whether it can be used again. */
async function rolledBack(client: pg.PoolClient, error: unknown): Promise<boolean> {
  if (error instanceof SluiceError && error.code === 'database_disconnected') return false;
  return client.query({ text: 'ROLLBACK', query_timeout: 5_000 } as pg.QueryConfig).then(
    () => true,
    () => false,
  );
}
