import type pg from 'pg';
import { querySettings } from '../source/database.js';
import { runOn } from '../source/run-on.js';
import type { Run } from '../source/source.js';
import { plannerError } from './errors.js';

/** Where the planner gets a connection from: the `Database`, or a pool. */
export interface Connections {
  connect(): Promise<pg.PoolClient>;
}

/** What Postgres says of a statement without running it. */
export interface Description {
  readonly paramTypes: readonly number[];
  readonly columns: readonly {
    readonly name: string;
    readonly typeOid: number;
    /** 0 when the column is no table's. */
    readonly tableOid: number;
    readonly columnNumber: number;
  }[];
}

export interface SessionOptions {
  readonly role: string | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
}

/** One read-only transaction as a client role; asks, never runs a client's statement. */
export interface Session {
  readonly run: Run;
  /** Parse and Describe of the extended protocol: neither plans nor executes. */
  describe(sql: string): Promise<Description>;
}

/** The settings are local to the transaction, so this works through a transaction pooler. */
export async function inSession<T>(
  connections: Connections,
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = await connections.connect();
  let broken = false;
  const breaks = (): void => void (broken = true);
  client.on('error', breaks);
  try {
    await client.query(
      [
        'BEGIN READ ONLY',
        ...querySettings(),
        `SET LOCAL statement_timeout = ${Math.trunc(options.timeoutMs)}`,
        // Sooner, so that it is said what was waited for.
        `SET LOCAL lock_timeout = ${Math.ceil(0.8 * options.timeoutMs)}`,
      ].join('; '),
    );
    const run = runOn(client);
    if (options.role !== null) await become(run, options.role, options.claims);
    return await work({ run, describe: (sql) => describe(client, sql) });
  } finally {
    await client.query('ROLLBACK').catch(breaks);
    client.removeListener('error', breaks);
    client.release(broken);
  }
}

async function become(run: Run, role: string, claims: SessionOptions['claims']): Promise<void> {
  // `none` would mean: back to the role that sees everything.
  if (role === 'none') throw plannerError('role_not_usable', 'No role may be named none.');
  try {
    await run(`SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`, [
      role,
      JSON.stringify(claims),
    ]);
  } catch (error) {
    throw isRoleRefusal(error) ? plannerError('role_not_usable') : error;
  }
}

/** invalid_parameter_value: there is no such role; insufficient_privilege: it may not be taken. */
function isRoleRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '22023' || error.code === '42501');
}

/** The calls of pg's connection that describing needs; its type declarations leave them out. */
interface Wire {
  parse(message: { readonly text: string }): void;
  describe(message: { readonly type: 'S' }): void;
  sync(): void;
  on(event: string, listener: (message: unknown) => void): void;
  removeListener(event: string, listener: (message: unknown) => void): void;
}

/** A query of pg's queue that sends Parse, Describe, Sync. */
class Describe {
  readonly result: Promise<Description>;
  #paramTypes: readonly number[] = [];
  #columns: Description['columns'] = [];
  #failure: unknown = null;
  #wire: Wire | null = null;
  readonly #sql: string;
  #resolve: (description: Description) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(sql: string) {
    this.#sql = sql;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: unknown): void {
    const wire = connection as Wire;
    this.#wire = wire;
    wire.on('parameterDescription', this.#onParameters);
    wire.parse({ text: this.#sql });
    wire.describe({ type: 'S' });
    wire.sync();
  }

  readonly #onParameters = (message: unknown): void => {
    this.#paramTypes = (message as { dataTypeIDs: readonly number[] }).dataTypeIDs;
  };

  handleRowDescription(message: { readonly fields: readonly pg.FieldDef[] }): void {
    this.#columns = message.fields.map((field) => ({
      name: field.name,
      typeOid: field.dataTypeID,
      tableOid: field.tableID,
      columnNumber: field.columnID,
    }));
  }

  handleError(error: unknown): void {
    this.#failure = error;
    this.#finish();
  }

  handleReadyForQuery(): void {
    this.#finish();
  }

  handleNoData(): void {
    // a statement without result columns
  }

  #finish(): void {
    this.#wire?.removeListener('parameterDescription', this.#onParameters);
    if (this.#failure === null) this.#resolve({ paramTypes: this.#paramTypes, columns: this.#columns });
    else this.#reject(this.#failure);
  }
}

function describe(client: pg.PoolClient, sql: string): Promise<Description> {
  const query = new Describe(sql);
  client.query(query as unknown as pg.Submittable);
  return query.result;
}
