import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from '@sluice/server/testing/deadline';
import { createTestDatabase, startTestPostgres } from '@sluice/server/testing/postgres';
import { expect, test } from 'vitest';
import { Product } from './kit/product.js';

// What a user does first: `sluice start` against a Postgres that is there, and ten lines of a client.

const SCHEMA = `
  CREATE TABLE app_user (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text NOT NULL, rank int NOT NULL);
  CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL REFERENCES issue, author_id int NOT NULL REFERENCES app_user);
  INSERT INTO app_user VALUES (1, 'ada'), (2, 'grace');
  INSERT INTO issue SELECT n, 1 + n % 2, 'issue ' || n, 100 - n FROM generate_series(1, 60) n;
  INSERT INTO comment SELECT n, 1 + n % 60, 1 + n % 2 FROM generate_series(1, 50) n;`;
const TOP = `SELECT id, title FROM issue WHERE project_id = 2 ORDER BY rank, id LIMIT 20`;
const PER_USER = `SELECT u.name, count(*)::text AS comments FROM comment c JOIN issue i ON i.id = c.issue_id
  JOIN app_user u ON u.id = c.author_id WHERE i.project_id = 2 GROUP BY u.name ORDER BY u.name`;
const EXAMPLE = new URL('../../examples/live.mjs', import.meta.url).pathname;

test.each([15, 18])('sluice start serves a Postgres %i that was there before', async (major) => {
  const server = await startTestPostgres({ major });
  const database = await createTestDatabase(server, SCHEMA);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-start-'));
  const product = await Product.start({ databaseUrl: database.url, log: join(folder, 'server.log') });
  const example = new Printed(`http://127.0.0.1:${product.port}`);
  try {
    for (const path of ['healthz', 'readyz', 'metrics', 'schema']) {
      expect([path, (await product.get(`/sluice/${path}`)).status]).toEqual([path, 200]);
    }
    await example.until(await answer(database, TOP), await answer(database, PER_USER));
    await database.sql(
      `BEGIN; INSERT INTO issue VALUES (1000, 2, 'first', 0); INSERT INTO comment VALUES (1000, 1000, 2); COMMIT`,
    );
    await example.until(await answer(database, TOP), await answer(database, PER_USER));
    await database.sql(`DELETE FROM comment WHERE issue_id IN (SELECT id FROM issue WHERE project_id = 2)`);
    await database.sql(`DELETE FROM issue WHERE project_id = 2 AND id % 4 = 1`);
    await example.until(await answer(database, TOP), await answer(database, PER_USER));
    await changesOverHttp(product.port, database);
  } finally {
    example.stop();
    await product.stop();
    expect(product.crash).toBeNull();
    const slots = `SELECT slot_name FROM pg_replication_slots`;
    await expect.poll(async () => (await database.sql(slots)).rows).toEqual([]);
    await database.drop();
    await server.destroy();
  }
});

type Database = Awaited<ReturnType<typeof createTestDatabase>>;

async function answer(database: Database, sql: string): Promise<unknown[]> {
  return (await database.sql(sql)).rows;
}

/** `POST /subscribe`, then server-sent events with the whole result at each change. */
async function changesOverHttp(port: number, database: Database): Promise<void> {
  const base = `http://127.0.0.1:${port}/sluice`;
  const subscribed = await fetch(`${base}/subscribe`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql: 'SELECT id, name FROM app_user WHERE id > $1 ORDER BY id', params: [1] }),
  });
  const { subscription_id: id } = (await subscribed.json()) as { subscription_id: string };
  const stop = new AbortController();
  const events = await fetch(`${base}/subscriptions/${id}/events`, { signal: stop.signal });
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const until = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) {
      const { value, done } = (await reader?.read()) ?? { value: '', done: true };
      if (done) throw new Error(`the events ended before ${wanted}: ${text}`);
      text += value;
    }
  };
  await until('"rows":[{"id":2,"name":"grace"}]');
  await database.sql(`INSERT INTO app_user VALUES (3, 'edsger')`);
  await until('"rows":[{"id":2,"name":"grace"},{"id":3,"name":"edsger"}]');
  stop.abort();
}

/** The example in a process of its own, and what it has printed last of each query. */
class Printed {
  readonly #child;
  #output = '';
  #waiting: () => void = () => undefined;

  constructor(url: string) {
    this.#child = spawn(process.execPath, [EXAMPLE, url, '2'], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
      this.#waiting();
    });
  }

  /** Resolves once the last printed results are these two. */
  async until(top: unknown[], perUser: unknown[]): Promise<void> {
    const shown = (): boolean =>
      this.#last('title') === ids(top, 'id') && this.#last('comments') === ids(perUser, 'comments');
    const there = (): string => `${JSON.stringify([top, perUser])}; printed: ${this.#output.slice(-2000)}`;
    while (!shown()) await within(there, new Promise<void>((resolve) => (this.#waiting = resolve)));
  }

  stop(): void {
    this.#child.kill();
  }

  /** The identifying column of each row of the last printed result that has a field. */
  #last(field: string): string | null {
    const printed = this.#output
      .split(/^(?=\[)/m)
      .filter((one) => one.includes(`${field}:`) || (field === 'comments' && one.trim() === '[]'));
    const column = field === 'title' ? 'id' : field;
    return [...(printed.at(-1) ?? '').matchAll(new RegExp(`\\b${column}: (\\d+)`, 'g'))]
      .map((match) => match[1])
      .join();
  }
}

function ids(rows: unknown[], column: string): string {
  return rows.map((row) => String((row as Record<string, unknown>)[column])).join();
}
