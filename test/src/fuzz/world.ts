import { OUTPUT_SETTINGS } from '@sluice/server/source/database';
import type { Run } from '@sluice/server/source/source';
import type { PgText } from '@sluice/core/value';
import pg from 'pg';
import { readTables, type WorldTable } from './world-table.js';

/** By table, by identity. */
export type Contents = ReadonlyMap<string, ReadonlyMap<string, readonly PgText[]>>;

export type Outcome =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly PgText[])[] }
  | { readonly kind: 'error'; readonly code: string };

/** Of any statement: a query that takes longer is not followed. */
const TIMEOUT_MS = 5_000;
/** Queries that are sent together: their answers are held at once. */
const TOGETHER_MAX = 64;

/** A schema of its own in a database, and a connection that sees it alone. */
export class World {
  readonly client: pg.Client;
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly #isOwn: boolean;
  #tables: readonly WorldTable[] = [];
  #statements = 0;
  /** Names of prepared statements. */
  readonly #raising = new Set<string>();

  private constructor(client: pg.Client, pool: pg.Pool, schema: string, isOwn: boolean) {
    this.#isOwn = isOwn;
    this.client = client;
    this.pool = pool;
    this.schema = schema;
  }

  /** @param url of a user who may create schemas */
  static async open(url: string, schema: string, statements: readonly string[]): Promise<World> {
    return World.#connect(url, schema, [`CREATE SCHEMA ${schema}`, ...statements], true);
  }

  /** A schema that is there, and stays. */
  static async within(url: string, schema: string, statements: readonly string[] = []): Promise<World> {
    return World.#connect(url, schema, statements, false);
  }

  static async #connect(
    url: string,
    schema: string,
    statements: readonly string[],
    isOwn: boolean,
  ): Promise<World> {
    const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => String } });
    await client.connect();
    const pool = new pg.Pool({ connectionString: url, max: 1, options: `-c search_path=${schema}` });
    const world = new World(client, pool, schema, isOwn);
    try {
      for (const [name, value] of Object.entries(OUTPUT_SETTINGS))
        await client.query(`SET ${name} = '${value}'`);
      await client.query(
        `SET jit = off; SET statement_timeout = ${TIMEOUT_MS}; SET search_path = ${schema}; SET client_min_messages = error`,
      );
      for (const statement of statements) await client.query(statement);
      world.#tables = await readTables(client, schema);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  async close(): Promise<void> {
    const drop = `ROLLBACK; DROP SCHEMA IF EXISTS ${this.schema} CASCADE`;
    if (this.#isOwn) await this.client.query(drop).catch(() => undefined);
    await this.client.end();
    await this.pool.end();
  }

  get tables(): readonly WorldTable[] {
    return this.#tables;
  }

  table(oid: number): WorldTable | undefined {
    return this.#tables.find((one) => one.oid === oid);
  }

  /** All rows of all tables. */
  contents(): Promise<Contents> {
    return this.#contentsAfter([]);
  }

  /** In one round trip. */
  async #contentsAfter(statements: readonly string[]): Promise<Contents> {
    const reads = this.#tables.map(
      ({ name, columns }) => `SELECT ${columns.map((column) => column.name).join(', ')} FROM ${name}`,
    );
    const results = await this.#results([...statements, ...reads]);
    return new Map(
      this.#tables.map((table, at) => [
        table.name,
        byIdentity(table, results[statements.length + at]?.rows ?? []),
      ]),
    );
  }

  /** What each of several statements returns that are sent together. */
  async #results(statements: readonly string[]): Promise<readonly pg.QueryArrayResult<PgText[]>[]> {
    if (statements.length === 0) return [];
    const results: unknown = await this.client.query({ text: statements.join('; '), rowMode: 'array' });
    return (Array.isArray(results) ? results : [results]) as readonly pg.QueryArrayResult<PgText[]>[];
  }

  /** One transaction; a statement that Postgres refuses is left out. `seen` is told what is there after each. */
  async transact(
    statements: readonly string[],
    seen?: (statement: string, now: Contents) => void,
  ): Promise<void> {
    await this.client.query('BEGIN');
    for (const statement of statements) {
      try {
        const together = ['SAVEPOINT one', statement];
        if (seen === undefined) await this.#results(together);
        else seen(statement, await this.#contentsAfter(together));
      } catch (error) {
        if (codeOf(error) === null) throw error;
        await this.client.query('ROLLBACK TO one');
      }
    }
    await this.client.query('COMMIT');
  }

  /** @returns null when Postgres refuses it: then it is no query. */
  async prepare(sql: string): Promise<Prepared | null> {
    const name = `q${++this.#statements}`;
    try {
      const [, types] = await this.#results([
        `PREPARE ${name} AS ${sql}`,
        `SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = '${name}'`,
      ]);
      return { name, sql, types: types?.rows.map(([type]) => type ?? '') ?? [] };
    } catch (error) {
      if (codeOf(error) === null) throw error;
      return null;
    }
  }

  async forget({ name }: Prepared): Promise<void> {
    await this.client.query(`DEALLOCATE ${name}`);
  }

  /** As Postgres prints the values of parameters, without lists in which one is not of its type. */
  async allCanonical(
    types: readonly string[],
    bindings: readonly (readonly PgText[])[],
  ): Promise<readonly (readonly PgText[])[]> {
    if (types.length === 0) return bindings.map(() => []);
    const texts = bindings.map(
      (values) => `SELECT ${types.map((type, at) => `${literalOf(values[at] ?? null)}::${type}`).join(', ')}`,
    );
    const outcomes = await this.#outcomes(texts);
    return outcomes.flatMap((outcome) => (outcome.kind === 'rows' ? outcome.rows.slice(0, 1) : []));
  }

  async ask(prepared: Prepared, values: readonly PgText[]): Promise<Outcome> {
    return this.#outcome(executed(prepared, values));
  }

  /** As parts of the server run what they ask. */
  readonly run: Run = async (text, values = []) => {
    const { rows } = await this.client.query<PgText[]>({ text, values: [...values], rowMode: 'array' });
    return { fields: [], rows };
  };

  /** As many times `ask`, in few round trips. What has raised an error before is asked alone, since it ends what it is sent with. */
  async askAll(asked: readonly (readonly [Prepared, readonly PgText[]])[]): Promise<readonly Outcome[]> {
    const outcomes = new Map<number, Outcome>();
    const calm = [...asked.keys()].filter((at) => !this.#raising.has(asked[at]?.[0].name ?? ''));
    for (let from = 0; from < calm.length; from += TOGETHER_MAX) {
      const places = calm.slice(from, from + TOGETHER_MAX);
      const texts = places.flatMap((at) => (asked[at] === undefined ? [] : [executed(...asked[at])]));
      for (const [index, outcome] of (await this.#outcomes(texts)).entries())
        outcomes.set(places[index] ?? -1, outcome);
    }
    const all: Outcome[] = [];
    for (const [at, [prepared, values]] of asked.entries()) {
      const outcome = outcomes.get(at) ?? (await this.ask(prepared, values));
      if (outcome.kind === 'error') this.#raising.add(prepared.name);
      all.push(outcome);
    }
    return all;
  }

  /** Asks a text that is not asked again. */
  async once(sql: string, values: readonly PgText[]): Promise<Outcome> {
    const prepared = await this.prepare(sql);
    if (prepared === null) return { kind: 'error', code: '42601' };
    const outcome = await this.ask(prepared, values.slice(0, prepared.types.length));
    await this.forget(prepared);
    return outcome;
  }

  /** What Postgres answers when it plans otherwise: where SQL leaves several answers open, another of them. */
  async *others(sql: string, values: readonly PgText[]): AsyncGenerator<Outcome> {
    for (const setting of OTHER_PLANS) {
      await this.client.query(setting.map((name) => `SET ${name} = off`).join('; '));
      const prepared = await this.prepare(sql);
      if (prepared !== null) {
        yield await this.ask(prepared, values);
        await this.forget(prepared);
      }
      await this.client.query(setting.map((name) => `RESET ${name}`).join('; '));
    }
  }

  /** Of statements that are sent together; halves of them where one raises an error. */
  async #outcomes(texts: readonly string[]): Promise<readonly Outcome[]> {
    if (texts.length <= 1) return texts[0] === undefined ? [] : [await this.#outcome(texts[0])];
    try {
      return (await this.#results(texts)).map(({ rows }) => ({ kind: 'rows', rows }));
    } catch (error) {
      if (codeOf(error) === null) throw error;
      const half = texts.length >> 1;
      return [...(await this.#outcomes(texts.slice(0, half))), ...(await this.#outcomes(texts.slice(half)))];
    }
  }

  async #outcome(text: string): Promise<Outcome> {
    try {
      const { rows } = await this.client.query<PgText[]>({ text, rowMode: 'array' });
      return { kind: 'rows', rows };
    } catch (error) {
      const code = codeOf(error);
      if (code === null) throw error;
      return { kind: 'error', code };
    }
  }
}

export interface Prepared {
  readonly name: string;
  readonly sql: string;
  readonly types: readonly string[];
}

const OTHER_PLANS: readonly (readonly string[])[] = [
  ['enable_hashagg'],
  ['enable_hashjoin'],
  ['enable_nestloop'],
  ['enable_hashjoin', 'enable_mergejoin'],
  ['enable_hashjoin', 'enable_nestloop'],
  ['enable_hashagg', 'enable_sort', 'enable_incremental_sort'],
  ['enable_seqscan'],
  ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_hashagg'],
];

/** Rows without a key are told apart by their values and how often they were met. */
function byIdentity(table: WorldTable, rows: readonly (readonly PgText[])[]): Map<string, readonly PgText[]> {
  const places = table.columns.flatMap(({ attnum }, at) => (table.key.includes(attnum) ? [at] : []));
  const map = new Map<string, readonly PgText[]>();
  for (const row of rows) {
    let identity = JSON.stringify(places.length > 0 ? places.map((at) => row[at]) : row);
    while (map.has(identity)) identity += '+';
    map.set(identity, row);
  }
  return map;
}

function executed({ name }: Prepared, values: readonly PgText[]): string {
  return `EXECUTE ${name}${values.length === 0 ? '' : `(${values.map(literalOf).join(', ')})`}`;
}

function literalOf(value: PgText): string {
  return value === null ? 'NULL' : `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
