import pg from 'pg';
import {
  startTestPostgres,
  createTestDatabase,
  type TestDatabase,
  type TestPostgres,
} from '@sluice/server/testing/postgres';
import { Random } from '../kit/random.js';
import { Corpus } from './corpus.js';
import { Judge, NOTICE_MS } from './judge.js';
import { contentsOf, PINNED, Shadow } from './shadow.js';
import type { WalTransaction } from './pgoutput.js';
import { WalStream } from './wal-stream.js';

export interface CourtOptions {
  readonly seed: string;
  /** The major version of both Postgres servers. */
  readonly major?: number;
  /** Commits reach the disk before they are confirmed: needed when the run kills Postgres. */
  readonly durable?: boolean;
  readonly corpus?: Corpus;
  /** Changes of the schema are told by the event trigger; else they are noticed by polling. */
  readonly eventTrigger?: boolean;
}

/** What a judged run sits on: the primary, the shadow, the stream between them, and the judge. */
export class Court {
  readonly primary: TestPostgres;
  readonly database: TestDatabase;
  readonly corpus: Corpus;
  readonly random: Random;
  readonly judge: Judge;
  /** Told of every commit of the primary, in WAL order. */
  readonly listeners: ((transaction: WalTransaction) => void)[];
  readonly #shadowServer: TestPostgres;
  readonly #shadow: Shadow;
  readonly #stream: WalStream;

  private constructor(parts: {
    primary: TestPostgres;
    database: TestDatabase;
    corpus: Corpus;
    random: Random;
    judge: Judge;
    listeners: ((transaction: WalTransaction) => void)[];
    shadowServer: TestPostgres;
    shadow: Shadow;
    stream: WalStream;
  }) {
    this.primary = parts.primary;
    this.database = parts.database;
    this.corpus = parts.corpus;
    this.random = parts.random;
    this.judge = parts.judge;
    this.listeners = parts.listeners;
    this.#shadowServer = parts.shadowServer;
    this.#shadow = parts.shadow;
    this.#stream = parts.stream;
  }

  static async open(options: CourtOptions): Promise<Court> {
    const random = new Random(options.seed);
    const corpus = options.corpus ?? new Corpus();
    const setup = corpus.setup(random.fork('rows'));
    const major = options.major === undefined ? {} : { major: options.major };
    const [primary, shadowServer] = await Promise.all([
      startTestPostgres({
        ...major,
        settings: {
          deadlock_timeout: '100ms',
          ...(options.durable === true ? { fsync: 'on', full_page_writes: 'on' } : {}),
        },
      }),
      startTestPostgres({ ...major, settings: { wal_level: 'minimal', max_wal_senders: '0' } }),
    ]);
    const database = await createTestDatabase(primary, setup);
    if (options.eventTrigger === true) await database.publish({ eventTrigger: true });
    const shadow = await Shadow.open((await createTestDatabase(shadowServer)).adminUrl, setup);
    const listeners: ((transaction: WalTransaction) => void)[] = [];
    const stream = new WalStream(database.adminUrl, `judge_${database.name}`, (transaction) => {
      for (const listener of listeners) listener(transaction);
    });
    await stream.create();
    const judge = new Judge(shadow, stream, corpus.invariants, options.eventTrigger === true ? 0 : NOTICE_MS);
    listeners.push((transaction) => judge.transaction(transaction));
    stream.start();
    judge.start();
    return new Court({ primary, database, corpus, random, judge, listeners, shadowServer, shadow, stream });
  }

  /** The present end of the log, as Postgres prints it; after the last COMMIT it is at or past it (C26). */
  async end(): Promise<string> {
    const { rows } = await this.database.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    return String((rows[0] as { lsn: string } | undefined)?.lsn);
  }

  /** The major version that runs. */
  async version(): Promise<number> {
    const { rows } = await this.database.sql('SHOW server_version_num');
    return Math.floor(Number((rows[0] as { server_version_num: string }).server_version_num) / 10_000);
  }

  /** Commits a message of the judge's own, so that the stream passes all that came before on an idle server. */
  async nudge(): Promise<void> {
    await this.database.sql(`SELECT pg_logical_emit_message(true, 'judge', '')`);
  }

  /** Judges all that was seen, then proves the truth itself: the shadow must hold what the primary holds. */
  async verdict(): Promise<readonly string[]> {
    await this.nudge();
    const nudging = setInterval(() => void this.nudge().catch(() => undefined), 500);
    try {
      await this.judge.drain();
    } finally {
      clearInterval(nudging);
    }
    const client = new pg.Client({ connectionString: this.database.adminUrl });
    await client.connect();
    try {
      await client.query(PINNED);
      return differences(await contentsOf(client), await this.#shadow.contents());
    } finally {
      await client.end();
    }
  }

  /** Ends everything; keeps nothing. */
  async close(): Promise<void> {
    await this.judge.stop();
    await this.#stream.stop().catch(() => undefined);
    await this.#shadow.close();
    await this.database.drop().catch(() => undefined);
    await Promise.all([this.primary.destroy(), this.#shadowServer.destroy()]);
  }
}

function differences(
  primary: ReadonlyMap<string, readonly string[]>,
  shadow: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const failures: string[] = [];
  for (const [table, rows] of primary) {
    const held = shadow.get(table);
    const at = rows.findIndex((row, i) => row !== held?.[i]);
    if (at !== -1 || rows.length !== held?.length)
      failures.push(
        `the shadow's ${table} differs: ${held?.length} rows, the primary ${rows.length}; first ${rows[at]?.slice(0, 200)}`,
      );
  }
  return failures;
}
