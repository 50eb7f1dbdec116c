import { createClient, type Client, type LiveView } from '@sluice/client';
import { parsePosition, type Position } from '@sluice/core/position';
import type pg from 'pg';
import { expect } from 'vitest';
import { observedSocket } from '../judge/observed-socket.js';

const QUERIES = {
  rows: 'SELECT id, n FROM account WHERE n > -1000000 ORDER BY account.id',
  top: 'SELECT id, n FROM account ORDER BY account.n DESC, account.id LIMIT 5',
  sum: 'SELECT sum(n) AS sum FROM account',
};
type Name = keyof typeof QUERIES;
const NAMES = Object.keys(QUERIES) as Name[];

export const ACCOUNTS: number = 5000;
/** Every account begins with as much; transfers keep the sum. */
export const SCHEMA: string = `CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL);
  INSERT INTO account SELECT i, 100 FROM generate_series(1, ${ACCOUNTS}) i`;
/** One amount from one account to another: the sum stays. */
export const TRANSFER: string = `UPDATE account SET n = n + CASE id WHEN $1 THEN -$3::int ELSE $3::int END WHERE id IN ($1, $2)`;

/**
 * A client with views of both gears that looks at every move: the sum over the rows of one view and the sum that the
 * other shows are one and the same constant; nothing is ever blank or an error; no position goes back in its epoch.
 */
export class Onlooker {
  readonly client: Client;
  readonly odd: string[] = [];
  readonly epochs: Set<string> = new Set<string>();
  moves = 0;
  bytes = 0;
  /** What it took to show everything first. */
  wholeBytes = 0;
  readonly #views: Record<Name, LiveView>;
  #last: Position | null = null;

  private constructor(port: number) {
    const WebSocket = observedSocket({ handled: (text) => void (this.bytes += text.length) });
    this.client = createClient({ url: `http://127.0.0.1:${port}`, values: 'text', WebSocket }).client;
    const live = (name: Name): LiveView => this.client.live({ sql: QUERIES[name] });
    this.#views = { rows: live('rows'), top: live('top'), sum: live('sum') };
  }

  static async open(port: number): Promise<Onlooker> {
    const onlooker = new Onlooker(port);
    for (const name of NAMES) await onlooker.#views[name].ready;
    onlooker.wholeBytes = onlooker.bytes;
    for (const name of NAMES) onlooker.#views[name].subscribe(() => onlooker.#look(name));
    return onlooker;
  }

  /** What is shown, view by view. */
  shown(): readonly (readonly unknown[])[] {
    return NAMES.map((name) => this.#views[name].rows);
  }

  /** Resolves when it shows that, and all of it as current. */
  async shows(wanted: readonly (readonly unknown[])[]): Promise<void> {
    const options = { interval: 20 };
    await expect.poll(() => this.shown(), options).toEqual(wanted);
    await expect
      .poll(() => NAMES.map((name) => this.#views[name].status), options)
      .toEqual(NAMES.map(() => 'current'));
  }

  get current(): boolean {
    return NAMES.every((name) => this.#views[name].status === 'current');
  }

  #look(name: Name): void {
    const { rows, sum } = this.#views;
    const { status, error } = this.#views[name];
    this.#moved();
    if (status === 'loading' || status === 'error') this.odd.push(`${name} ${status} ${error?.code ?? ''}`);
    if (rows.rows.length !== ACCOUNTS) this.odd.push(`${rows.rows.length} rows`);
    if (rows.status !== 'current' || sum.status !== 'current') return;
    const added = rows.rows.reduce((total, row) => total + Number((row as { n: string }).n), 0);
    const told = Number((sum.rows[0] as { sum: string }).sum);
    if (added !== told || told !== ACCOUNTS * 100) this.odd.push(`${added} added, ${told} told`);
  }

  #moved(): void {
    const now = this.client.position;
    if (now === null || now === this.#last) return;
    const [before, after] = [this.#last === null ? null : parsePosition(this.#last), parsePosition(now)];
    if (after === null) throw new Error(`no position: ${now}`);
    if (before?.epoch === after.epoch && after.lsn < before.lsn) this.odd.push(`${this.#last} then ${now}`);
    this.epochs.add(after.epoch);
    this.#last = now;
    this.moves++;
  }
}

/** What Postgres answers, view by view. */
export async function truth(database: pg.Pool): Promise<readonly unknown[][]> {
  const asText = (sql: string): string =>
    sql.replace('SELECT id, n', 'SELECT id::text, n::text').replace('sum(n)', 'sum(n)::text');
  return Promise.all(NAMES.map(async (name) => (await database.query(asText(QUERIES[name]))).rows));
}
