import { get } from 'node:http';
import { createClient, type ClientOptions, type Sluice } from '@sluice/client';
import type { ServerMessage } from '@sluice/core/wire';
import { createSluice, type SluiceConfig } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { observedSocket } from '../judge/observed-socket.js';

export interface Issue {
  readonly id: number;
  readonly title: string;
  readonly rank: number;
}

export interface Comment {
  readonly id: number;
  readonly body: string;
}

export interface Account {
  readonly balance: number;
  /** Every transaction of the tests counts it up, in all accounts. */
  readonly version: number;
}

/** What the server of these tests offers, as an application would write it by hand. */
export interface Api {
  readonly queries: {
    readonly issuesOf: { readonly args: { project: number; limit: number }; readonly row: Issue };
    readonly countOf: { readonly args: { project: number }; readonly row: { readonly n: bigint } };
    /** The same, and it takes its time. */
    readonly slowCountOf: { readonly args: { project: number }; readonly row: { readonly n: bigint } };
    readonly issue: { readonly args: { id: number }; readonly row: Issue };
    /** With all of its comments in it. */
    readonly thread: {
      readonly args: { id: number };
      readonly row: Issue & { readonly comments: readonly Comment[] };
    };
    readonly account: { readonly args: { id: number }; readonly row: Account };
    readonly accountByJoin: {
      readonly args: { id: number };
      readonly row: Account & { readonly holder: string };
    };
    readonly quotient: { readonly args: { id: number }; readonly row: { readonly x: number } };
  };
}

const QUERIES: NonNullable<SluiceConfig['queries']> = {
  issuesOf: {
    sql: 'SELECT id, title, rank FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT $2',
    params: ['project', 'limit'],
  },
  countOf: { sql: 'SELECT count(*) AS n FROM issue WHERE project_id = $1', params: ['project'] },
  slowCountOf: {
    sql: 'SELECT count(*) + 0 * (SELECT count(*) FROM generate_series(1, 2000000)) AS n FROM issue WHERE project_id = $1',
    params: ['project'],
  },
  issue: { sql: 'SELECT id, title, rank FROM issue WHERE id = $1', params: ['id'] },
  thread: {
    sql: `SELECT i.id, i.title, i.rank, (SELECT json_agg(json_build_object('id', c.id, 'body', c.body) ORDER BY c.id DESC)
      FROM comment c WHERE c.issue_id = i.id) AS comments FROM issue i WHERE i.id = $1`,
    params: ['id'],
  },
  account: { sql: 'SELECT balance, version FROM account WHERE id = $1', params: ['id'] },
  accountByJoin: {
    sql: 'SELECT a.balance, a.version, h.name AS holder FROM account a JOIN holder h ON h.id = a.id WHERE a.id = $1',
    params: ['id'],
  },
  quotient: { sql: 'SELECT 100 / rank AS x FROM issue WHERE id = $1', params: ['id'] },
};

const SETUP = `
  CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text NOT NULL, rank int NOT NULL);
  INSERT INTO issue SELECT i, 1 + i % 2, 'issue ' || i, i FROM generate_series(1, 400) i;
  CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL, body text NOT NULL);
  CREATE TABLE holder (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, version int NOT NULL DEFAULT 0);
  INSERT INTO holder SELECT i, 'holder ' || i FROM generate_series(1, 4) i;
  INSERT INTO account (id, balance) SELECT i, 100 FROM generate_series(1, 4) i`;

/** What a client was sent, summed up. */
export interface Traffic {
  readonly sent: string[];
  readonly messages: ServerMessage[];
}

/** A server of its own, with a database of its own. */
export class Stage {
  readonly database: TestDatabase;
  readonly url: string;
  readonly #stop: () => Promise<void>;

  private constructor(database: TestDatabase, url: string, stop: () => Promise<void>) {
    this.database = database;
    this.url = url;
    this.#stop = stop;
  }

  static async open(config: SluiceConfig = {}): Promise<Stage> {
    const database = await sharedDatabase(SETUP);
    const sluice = createSluice({
      database: database.url,
      queries: QUERIES,
      port: 0,
      logLevel: 'error',
      graceMs: 0,
      // What one test leaves behind is not counted in the next, and nothing comes from the server's memory.
      keepMs: 0,
      ...config,
    });
    const url = await sluice.listen();
    return new Stage(database, url, async () => {
      await sluice.stop();
      await database.drop();
    });
  }

  /** A client that is looked at on the wire. */
  client(options: Partial<ClientOptions> = {}): Sluice<Api> & { readonly traffic: Traffic } {
    const traffic: Traffic = { sent: [], messages: [] };
    const WebSocket = observedSocket({
      sent: (text) => void traffic.sent.push(text),
      handled: (text) => void traffic.messages.push(JSON.parse(text) as ServerMessage),
    });
    return { ...createClient<Api>({ url: this.url, WebSocket, ...options }), traffic };
  }

  /** Views that were hydrated or run again so far, as the server's metrics say. */
  async hydrations(): Promise<number> {
    const text = await read(`${this.url}/metrics`);
    const of = (name: string): number =>
      [...text.matchAll(new RegExp(`^sluice_${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))]
        .map(([, value]) => Number(value))
        .reduce((sum, value) => sum + value, 0);
    return of('hydrated_views_total') + of('rerun_views_total');
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Rows that came, whole or as part of a difference. */
export function rowsOnTheWire({ messages }: Traffic): number {
  return messages.reduce(
    (sum, message) =>
      sum + (message.kind === 'rows' || message.kind === 'difference' ? message.rows.length : 0),
    0,
  );
}

function read(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}
