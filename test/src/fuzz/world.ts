import { OUTPUT_SETTINGS } from '@sluice/server/source/database';
import type { PgText } from '@sluice/core/value';
import pg from 'pg';

/** A table of a world, as the catalog has it. */
export interface WorldTable {
  readonly oid: number;
  readonly name: string;
  readonly columns: readonly WorldColumn[];
  /** Attribute numbers of a key that its replica identity holds; empty when there is none. */
  readonly key: readonly number[];
  readonly identityFull: boolean;
}

export interface WorldColumn {
  readonly name: string;
  readonly attnum: number;
  /** Its values may be stored apart, and then not be sent again. */
  readonly isLong: boolean;
}

/** By table, by identity. */
export type Contents = ReadonlyMap<string, ReadonlyMap<string, readonly PgText[]>>;

export type Outcome =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly PgText[])[] }
  | { readonly kind: 'error'; readonly code: string };

/** Of any statement: a query that takes longer is not followed. */
const TIMEOUT_MS = 5_000;

/** A schema of its own in a database, and a connection that sees it alone. */
export class World {
  readonly client: pg.Client;
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly #isOwn: boolean;
  #tables: readonly WorldTable[] = [];
  #statements = 0;

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
  static async within(url: string, schema: string): Promise<World> {
    return World.#connect(url, schema, [], false);
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
  async contents(): Promise<Contents> {
    const names = this.#tables.map(
      ({ name, columns }) => `SELECT ${columns.map((column) => column.name).join(', ')} FROM ${name}`,
    );
    if (names.length === 0) return new Map();
    const results: unknown = await this.client.query({ text: names.join('; '), rowMode: 'array' });
    const list = (Array.isArray(results) ? results : [results]) as readonly pg.QueryArrayResult<PgText[]>[];
    return new Map(this.#tables.map((table, at) => [table.name, byIdentity(table, list[at]?.rows ?? [])]));
  }

  /** One transaction; a statement that Postgres refuses is left out. `seen` is told what is there after each. */
  async transact(
    statements: readonly string[],
    seen: (statement: string, now: Contents) => void,
  ): Promise<void> {
    await this.client.query('BEGIN');
    for (const statement of statements) {
      await this.client.query('SAVEPOINT one');
      try {
        await this.client.query(statement);
      } catch (error) {
        if (codeOf(error) === null) throw error;
        await this.client.query('ROLLBACK TO one');
        continue;
      }
      seen(statement, await this.contents());
    }
    await this.client.query('COMMIT');
  }

  /** @returns null when Postgres refuses it: then it is no query. */
  async prepare(sql: string): Promise<Prepared | null> {
    const name = `q${++this.#statements}`;
    try {
      await this.client.query(`PREPARE ${name} AS ${sql}`);
    } catch (error) {
      if (codeOf(error) === null) throw error;
      return null;
    }
    const { rows } = await this.client.query<{ type: string }>(
      'SELECT unnest(parameter_types)::text AS type FROM pg_prepared_statements WHERE name = $1',
      [name],
    );
    return { name, sql, types: rows.map(({ type }) => type) };
  }

  async forget({ name }: Prepared): Promise<void> {
    await this.client.query(`DEALLOCATE ${name}`);
  }

  /** As Postgres prints the values of parameters, without lists in which one is not of its type. */
  async allCanonical(
    types: readonly string[],
    bindings: readonly (readonly PgText[])[],
  ): Promise<readonly (readonly PgText[])[]> {
    const known: (readonly PgText[])[] = [];
    for (const binding of bindings) {
      const values = await this.#canonical(types, binding);
      if (values !== null) known.push(values);
    }
    return known;
  }

  async #canonical(types: readonly string[], values: readonly PgText[]): Promise<readonly PgText[] | null> {
    if (types.length === 0) return [];
    try {
      const text = `SELECT ${types.map((type, at) => `$${at + 1}::${type}`).join(', ')}`;
      const { rows } = await this.client.query<PgText[]>({
        text,
        values: values.slice(0, types.length),
        rowMode: 'array',
      });
      return rows[0] ?? null;
    } catch (error) {
      if (codeOf(error) === null) throw error;
      return null;
    }
  }

  async ask({ name }: Prepared, values: readonly PgText[]): Promise<Outcome> {
    const list = values.length === 0 ? '' : `(${values.map(literalOf).join(', ')})`;
    return this.#outcome(`EXECUTE ${name}${list}`);
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

const TABLES_SQL = `
  SELECT c.oid::int8, c.relname, c.relreplident, json_agg(json_build_object('name', a.attname, 'attnum', a.attnum, 'isLong', a.attlen = -1) ORDER BY a.attnum),
    (SELECT json_agg(k) FROM pg_index i, unnest(i.indkey) k WHERE i.indrelid = c.oid AND i.indisprimary)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r' GROUP BY c.oid ORDER BY c.relname`;

async function readTables(client: pg.Client, schema: string): Promise<readonly WorldTable[]> {
  const { rows } = await client.query<string[]>({ text: TABLES_SQL, values: [schema], rowMode: 'array' });
  return rows.map(([oid, name = '', identity, columns, key]) => ({
    oid: Number(oid),
    name,
    columns: JSON.parse(columns ?? '[]') as WorldColumn[],
    key: JSON.parse(key ?? '[]') as number[],
    identityFull: identity === 'f',
  }));
}

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

function literalOf(value: PgText): string {
  return value === null ? 'NULL' : `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
