import pg from 'pg';
import { answerOf, errorAnswer, type Answer } from './answer.js';
import { alters, sqlOf, tablesOf } from './apply.js';
import type { WalTransaction } from './pgoutput.js';
import type { Bound } from './query.js';

/** As the product pins them: the same value is the same text on both sides. */
export const PINNED: string =
  `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; ` +
  `SET extra_float_digits = 1; SET bytea_output = 'hex'`;

/**
 * A second Postgres that stands at one position after another: fed the primary's commits in WAL order, asked what
 * every watched query answers there. Nothing of the product is in it.
 */
export class Shadow {
  readonly #client: pg.Client;
  /** Leaf to root. */
  #roots: ReadonlyMap<string, string> = new Map();
  /** The last step that touched a table. */
  readonly #touched = new Map<string, number>();
  readonly #answers = new Map<string, { readonly step: number; readonly answer: Answer }>();
  readonly #timed = new Map<
    string,
    { step: number; from: bigint | null; to: bigint; answers: readonly TimedAnswer[] }
  >();
  readonly #openedMicros = BigInt(Date.now()) * 1000n;
  #step = 0;
  position = 0n;
  evaluations = 0;

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** `url`: an empty database of its own; `setup`: the DDL and rows that the primary began with. */
  static async open(url: string, setup: string): Promise<Shadow> {
    const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => String } });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(setup);
    // Constraints and triggers have done their work on the primary already.
    await client.query(`${PINNED}; SET session_replication_role = 'replica'; SET synchronous_commit = off`);
    const shadow = new Shadow(client);
    await shadow.#readRoots();
    return shadow;
  }

  async #readRoots(): Promise<void> {
    const { rows } = await this.#client.query<{ leaf: string; root: string }>(
      `SELECT inhrelid::regclass::text AS leaf, pg_partition_root(inhrelid)::regclass::text AS root FROM pg_inherits
       JOIN pg_class ON pg_class.oid = inhrelid WHERE relispartition`,
    );
    this.#roots = new Map(rows.map((row) => [row.leaf, row.root]));
  }

  /** Takes the next commit. */
  async apply(transaction: WalTransaction): Promise<void> {
    const sql = sqlOf(transaction);
    if (sql !== '') {
      await this.#client.query(sql).catch((error: unknown) => {
        throw new Error(`the shadow could not repeat xid ${transaction.xid}:\n${sql.slice(0, 2000)}`, {
          cause: error,
        });
      });
      this.#step++;
      for (const table of tablesOf(transaction))
        this.#touched.set(this.#roots.get(table) ?? table, this.#step);
      if (alters(transaction)) await this.#readRoots();
    }
    this.position = transaction.lsn;
  }

  /** What Postgres answers at the present position. */
  async answer(bound: Bound): Promise<Answer> {
    const held = this.#answers.get(bound.key);
    if (held && bound.query.reads.every((table) => (this.#touched.get(table) ?? 0) <= held.step))
      return held.answer;
    const answer = await ask(this.#client, bound);
    this.evaluations++;
    this.#answers.set(bound.key, { step: this.#step, answer });
    return answer;
  }

  /**
   * What Postgres answers at the present position to a query that reads the clock, for every reading of it from one
   * instant (or, null, from when the primary began) to another: the answers, each with the instant that it begins at.
   */
  async answersOver(bound: Bound, from: bigint | null, to: bigint): Promise<readonly TimedAnswer[]> {
    const held = this.#timed.get(bound.key);
    if (held && held.step === this.#step && held.from === from && held.to >= to) return held.answers;
    const { clock } = bound.query;
    if (!clock) throw new Error(`assertion failed: ${bound.query.id} does not read the clock`);
    const since = from ?? this.#openedMicros;
    const { rows } = await this.#client.query<{ micros: string }>(
      `SELECT DISTINCT (extract(epoch FROM at) * 1000000)::int8::text AS micros FROM (${clock.breaks}) AS b(at)
       WHERE at > ${instant(since)} AND at <= ${instant(to)}`,
    );
    const instants = [since, ...rows.map((row) => BigInt(row.micros))].sort((a, b) => (a < b ? -1 : 1));
    const answers: TimedAnswer[] = [];
    for (const at of instants) {
      const sql = bound.query.sql
        .replaceAll('now()', instant(at))
        .replaceAll('current_date', `${instant(at)}::date`);
      answers.push({ at, answer: await ask(this.#client, bound, sql) });
      this.evaluations++;
    }
    this.#timed.set(bound.key, { step: this.#step, from, to, answers });
    return answers;
  }

  /** Every row of every table, to compare with the primary's. */
  contents(): Promise<ReadonlyMap<string, readonly string[]>> {
    return contentsOf(this.#client);
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

/** An answer, and the reading of the clock from which on it is the answer. */
export interface TimedAnswer {
  readonly at: bigint;
  readonly answer: Answer;
}

function instant(micros: bigint): string {
  return `('epoch'::timestamptz + ${micros} * interval '1 microsecond')`;
}

/** Runs a query as the judge runs them all: text values, rows as arrays. `sql`: what is run in the place of its own. */
export async function ask(client: pg.Client, bound: Bound, sql?: string): Promise<Answer> {
  try {
    const { rows } = await client.query<(string | null)[]>({
      text: sql ?? bound.query.sql,
      values: [...bound.params],
      rowMode: 'array',
    });
    return answerOf(rows, bound.query.ordered);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return errorAnswer(code);
  }
}

export async function contentsOf(client: pg.ClientBase): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sluice') ORDER BY 1`,
  );
  const contents = new Map<string, readonly string[]>();
  for (const { name } of rows) {
    const table = await client.query<{ row: string }>(`SELECT t::text AS row FROM ONLY ${name} t ORDER BY 1`);
    contents.set(
      name,
      table.rows.map((row) => row.row),
    );
  }
  return contents;
}
