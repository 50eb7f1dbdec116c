import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { WalDecoder, type WalTransaction } from './pgoutput.js';

export const JUDGE_PUBLICATION = 'judge';
const RECONNECT_MS = 200;
const STATUS_MS = 1000;

/**
 * Every commit of the primary in WAL order, over a permanent slot of the judge's own: it survives whatever the run
 * does to Postgres. After a crash a slot repeats what it had confirmed; what is at or below `position` is dropped.
 */
export class WalStream {
  readonly #url: string;
  readonly #slot: string;
  readonly #listener: (transaction: WalTransaction) => void;
  readonly #decoder = new WalDecoder();
  #client: pg.Client | null = null;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  /** Everything that commits at or below this has been told. */
  position = 0n;
  #failure: Error | null = null;

  constructor(url: string, slot: string, listener: (transaction: WalTransaction) => void) {
    this.#url = url;
    this.#slot = slot;
    this.#listener = listener;
  }

  /** Makes the publication and the slot: what commits from now on is told. */
  async create(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    try {
      await client.query(`DROP PUBLICATION IF EXISTS ${JUDGE_PUBLICATION}`);
      await client.query(`CREATE PUBLICATION ${JUDGE_PUBLICATION} FOR ALL TABLES`);
      const { rows } = await client.query<{ lsn: string }>(
        `SELECT lsn::text FROM pg_create_logical_replication_slot($1, 'pgoutput')`,
        [this.#slot],
      );
      this.position = lsnOf(rows[0]?.lsn ?? '');
    } finally {
      await client.end();
    }
  }

  start(): void {
    this.#running = this.#run();
  }

  /** The judge's own failure, if it has one: a run that goes on without a truth would prove nothing. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#client?.end().catch(() => undefined);
    await this.#running;
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url });
    await client.connect();
    try {
      await client.query(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active`,
        [this.#slot],
      );
      for (let left = 50; left > 0; left--) {
        const dropped = await client
          .query('SELECT pg_drop_replication_slot($1)', [this.#slot])
          .then(() => true)
          .catch((error: Error & { code?: string }) => error.code === '42704');
        if (dropped) break;
        await sleep(100);
      }
      await client.query(`DROP PUBLICATION IF EXISTS ${JUDGE_PUBLICATION}`);
    } finally {
      await client.end();
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped && !this.#failure) {
      await this.#connectAndRead().catch(() => undefined);
      if (!this.#stopped) await sleep(RECONNECT_MS);
    }
  }

  async #connectAndRead(): Promise<void> {
    const url = new URL(this.#url);
    url.searchParams.set('replication', 'database');
    const client = new pg.Client({ connectionString: url.toString() });
    client.on('error', () => undefined);
    this.#client = client;
    await client.connect();
    this.#decoder.reset();
    const { connection } = client as unknown as { connection: CopyBoth };
    connection.on('copyData', (message) => this.#read(message.chunk, connection, client));
    const status = setInterval(() => this.#confirm(connection), STATUS_MS);
    try {
      await client.query(`SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'`);
      await client.query(
        `START_REPLICATION SLOT ${this.#slot} LOGICAL 0/0
         (proto_version '1', publication_names '${JUDGE_PUBLICATION}', messages 'true')`,
      );
    } finally {
      clearInterval(status);
      connection.removeAllListeners('copyData');
      client.end().catch(() => undefined);
    }
  }

  #read(chunk: Buffer, connection: CopyBoth, client: pg.Client): void {
    if (this.#failure) return;
    try {
      if (chunk[0] === KEEPALIVE) {
        const end = chunk.readBigUInt64BE(1);
        if (end > this.position && !this.#decoder.open) this.position = end;
        if (chunk[17] === 1) this.#confirm(connection);
      } else {
        const transaction = this.#decoder.message(chunk.subarray(25));
        if (!transaction || transaction.lsn <= this.position) return;
        this.position = transaction.lsn;
        this.#listener(transaction);
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      client.end().catch(() => undefined);
    }
  }

  /** Standby status update: written, flushed and applied up to `position`. */
  #confirm(connection: CopyBoth): void {
    const message = Buffer.alloc(34);
    message[0] = 'r'.charCodeAt(0);
    for (const at of [1, 9, 17]) message.writeBigUInt64BE(this.position, at);
    connection.sendCopyFromChunk(message);
  }
}

const KEEPALIVE = 'k'.charCodeAt(0);

/** What `pg` has but does not type: the connection below a client in COPY BOTH mode. */
interface CopyBoth {
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): void;
  removeAllListeners(event: 'copyData'): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

/** `16/B374D848` to an integer; the judge reads positions without the product's help. */
export function lsnOf(text: string): bigint {
  const [high, low] = text.split('/');
  if (high === undefined || low === undefined) throw new Error(`no LSN: ${text}`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}
