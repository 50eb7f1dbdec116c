import { must } from '@sluice/core/assert';
import { parseLsn, type Lsn } from '@sluice/core/lsn';
import { querySettings, type Database } from './database.js';
import { sourceError } from './errors.js';
import { sqlStateOf } from './postgres-errors.js';
import { quoteIdentifier, quoteLiteral } from './quote.js';
import { parseSnapshot, type Snapshot } from './snapshot.js';
import type { FetchOptions, Run } from './source.js';

/** What was read, what the snapshot saw, and an LSN at or above every commit that it saw. */
export interface SnapshotRead<T> {
  readonly result: T;
  readonly snapshot: Snapshot;
  readonly upper: Lsn;
}

export interface SnapshotReaderOptions {
  readonly database: Database;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** How much longer than Postgres's own timeout we wait for it to say so. */
const ANSWER_GRACE_MS = 10_000;
const NAMES_MAX = 10_000;

/**
 * Takes snapshots (C4):
 *
 *   BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY      no snapshot yet
 *   SET LOCAL …                                          no snapshot yet
 *   LOCK TABLE … IN ACCESS SHARE MODE                    no snapshot yet; a TRUNCATE or a rewrite is over, or comes after us
 *   SELECT pg_current_snapshot(), pg_current_wal_insert_lsn(), …      here it is taken
 *   the reads, COMMIT
 *
 * All up to the snapshot is one message without parameters: one round trip, and nothing that a transaction pooler
 * could tear apart. Tables are locked by name and then their names looked up again under the lock: a table that was
 * renamed or dropped in between is noticed.
 */
export class SnapshotReader {
  readonly #options: SnapshotReaderOptions;
  readonly #names = new Map<number, string>();

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  async read<T>(options: FetchOptions, work: (run: Run) => Promise<T>): Promise<SnapshotRead<T>> {
    const tables = [...new Set(options.tables)].sort((a, b) => a - b);
    try {
      return await this.#attempt(tables, options, work);
    } catch (error) {
      if (!(error instanceof StaleNames) && sqlStateOf(error) !== '42P01' && sqlStateOf(error) !== '3F000') {
        throw error;
      }
      for (const oid of tables) this.#names.delete(oid);
      return this.#attempt(tables, options, work);
    }
  }

  async #attempt<T>(
    tables: readonly number[],
    options: FetchOptions,
    work: (run: Run) => Promise<T>,
  ): Promise<SnapshotRead<T>> {
    const names = await this.#namesOf(tables);
    const statementTimeoutMs = options.statementTimeoutMs ?? this.#options.statementTimeoutMs;
    const first = this.#preamble(names, statementTimeoutMs, options.as);
    const transaction = {
      isolation: 'repeatable read',
      readOnly: true,
      first,
      answerTimeoutMs: statementTimeoutMs + this.#options.lockTimeoutMs + ANSWER_GRACE_MS,
    } as const;
    return this.#options.database.transaction(transaction, async (run, results) => {
      const [snapshot, upper, ...oids] = must(results.at(-1)?.rows[0], 'the row of the snapshot');
      if (oids.some((oid, index) => oid !== String(tables[index]))) throw new StaleNames();
      const result = await work(run);
      return {
        result,
        snapshot: parseSnapshot(must(snapshot, 'a snapshot')),
        upper: must(parseLsn(must(upper, 'an LSN')), 'an LSN'),
      };
    });
  }

  #preamble(names: readonly string[], statementTimeoutMs: number, as: FetchOptions['as']): string[] {
    const settings = [
      ...querySettings(),
      `SET LOCAL lock_timeout = ${this.#options.lockTimeoutMs}`,
      `SET LOCAL statement_timeout = ${statementTimeoutMs}`,
      `SET LOCAL idle_in_transaction_session_timeout = ${statementTimeoutMs + ANSWER_GRACE_MS}`,
    ];
    const lock = names.length === 0 ? [] : [`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`];
    const checks = names.map((name) => `${quoteLiteral(name)}::regclass::oid`);
    const snapshot = ['pg_current_snapshot()', 'pg_current_wal_insert_lsn()', ...checks].join(', ');
    return [
      ...settings,
      ...lock,
      ...(as ? clientRole(as) : ['SET LOCAL row_security = off']),
      `SELECT ${snapshot}`,
    ];
  }

  async #namesOf(tables: readonly number[]): Promise<string[]> {
    const unknown = tables.filter((oid) => !this.#names.has(oid));
    if (unknown.length > 0) {
      if (this.#names.size + unknown.length > NAMES_MAX) this.#names.clear();
      const { rows } = await this.#options.database.query(
        `SELECT c.oid, format('%I.%I', n.nspname, c.relname)
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1::oid[])`,
        [`{${unknown.join(',')}}`],
      );
      for (const [oid, name] of rows) this.#names.set(Number(oid), must(name, 'a table has a name'));
    }
    return tables.map((oid) => {
      const name = this.#names.get(oid);
      if (name === undefined) throw sourceError('relation_unknown', `oid ${oid}`);
      return name;
    });
  }
}

/** The table behind a name is another one than when we looked it up. */
class StaleNames extends Error {}

/** What runs as a client runs with its claims, and its policies apply (C21). */
function clientRole(as: NonNullable<FetchOptions['as']>): string[] {
  // `none` would mean: back to the role that sees everything, whatever the quotes.
  if (as.role.toLowerCase() === 'none') throw sourceError('permission_denied', 'no role may be named none');
  return [
    'SET LOCAL row_security = on',
    `SET LOCAL request.jwt.claims = ${quoteLiteral(JSON.stringify(as.claims))}`,
    `SET LOCAL ROLE ${quoteIdentifier(as.role)}`,
  ];
}
