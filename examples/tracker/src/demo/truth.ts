import { createHash, randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { canonicalRows } from '../shared/canonical.js';
import type { ToVerify, TrueAnswer, Truth } from '../shared/demo-api.js';
import { pool } from '../server/database.js';
import { queries } from '../server/queries.js';

/** In one order, so that two of them never wait for each other. */
const TABLES = 'team, project, member, label, issue, comment';
const LOCK_TIMEOUT_MS = 3_000;
/** A page that went away holds nobody up for longer. */
const HOLD_MAX_MS = 3_000;

interface Held {
  readonly client: PoolClient;
  readonly timer: NodeJS.Timeout;
}

/**
 * What Postgres answers at one LSN, exactly, also while others write.
 *
 * `SHARE` lets readers in and writers not: once we have it, every transaction that wrote to these tables is visible,
 * and none can commit. So whatever is read now is the state at the LSN that is read now, and also at every later one
 * until the lock is gone. It is kept until the page has reached that LSN and has looked at what it holds: whether its
 * next move lands on the LSN or behind it, there is one right answer.
 */
export class Truths {
  readonly #held = new Map<string, Held>();

  async take(asked: readonly ToVerify[]): Promise<Truth> {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await client.query(`LOCK TABLE ${TABLES} IN SHARE MODE`);
      const answers = await Promise.all(asked.map(({ query, args }) => answerOf(query, args)));
      const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      const id = randomUUID();
      this.#held.set(id, { client, timer: setTimeout(() => void this.letGo(id), HOLD_MAX_MS) });
      return { id, lsn: rows[0]?.lsn ?? '', answers };
    } catch (error) {
      await release(client);
      throw error;
    }
  }

  /** @returns whether the lock was there until now */
  async letGo(id: string): Promise<boolean> {
    const held = this.#held.get(id);
    if (held === undefined) return false;
    this.#held.delete(id);
    clearTimeout(held.timer);
    return release(held.client);
  }
}

/** The rows as the application itself gets them: it runs the query's own builder, on another connection. */
async function answerOf(name: string, args: unknown): Promise<TrueAnswer> {
  const named = new Map(Object.entries(queries)).get(name);
  if (named === undefined) throw new Error(`no query ${name}`);
  const parsed = named.args === null ? undefined : await named.args['~standard'].validate(args);
  if (parsed?.issues) throw new Error(`wrong arguments for ${name}`);
  const answer: unknown = await named.answer({ args: parsed?.value, ctx: { role: '', claims: {} } });
  const rows = Array.isArray(answer) ? answer : answer === undefined ? [] : [answer];
  return {
    rowCount: rows.length,
    hash: sha256(canonicalRows(rows, true)),
    unorderedHash: sha256(canonicalRows(rows, false)),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function release(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    client.release();
    return true;
  } catch (error) {
    client.release(error instanceof Error ? error : true);
    return false;
  }
}
