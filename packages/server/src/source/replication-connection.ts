import type { Duplex } from 'node:stream';
import { must } from '@sluice/core/assert';
import { asLsn, formatLsn, parseLsn, type Lsn } from '@sluice/core/lsn';
import pg from 'pg';
import { clientConfig, type ConnectionConfig } from './connection-config.js';
import { outputSettings } from './database.js';
import { sourceError } from './errors.js';
import { FrameReader } from './frame-reader.js';
import { fromPostgres, fromState } from './postgres-errors.js';
import { pausable } from './pausable-socket.js';
import { quoteIdentifier } from './quote.js';
import { ReadingPace, type Pace } from './reading-pace.js';

/**
 * A connection that carries logical replication. `pg` brings it up (TCP, TLS, authentication) and runs the commands
 * before the stream; from START_REPLICATION on the bytes of the socket are ours, read without a copy and without an
 * object per message.
 *
 *   connect ─▶ commands (IDENTIFY_SYSTEM, CREATE_REPLICATION_SLOT) ─▶ stream ─▶ closed, once, with its reason
 */
export interface StreamHandler {
  /** One pgoutput message; the bytes stay valid for as long as someone points at them. */
  message(buffer: Buffer, start: number, end: number): void;
  /** All that committed up to here has been sent. When `replyRequested`, `feedback` is due at once. */
  keepalive(lsn: Lsn, replyRequested: boolean): void;
  /** Nothing more is at hand now. */
  flush(): void;
  /** The connection is over: nothing more is to be told. */
  end(): void;
}

export interface StreamOptions {
  readonly slot: string;
  /** Transactions that end at or below are not sent again; zero: from where the slot was confirmed. */
  readonly from: Lsn;
  readonly publication: string;
}

export interface SystemIdentity {
  readonly systemId: string;
  readonly timeline: number;
  readonly lsn: Lsn;
}

export interface ReplicationClock {
  readonly now: () => number;
}

/** Microseconds from 1970 to 2000, where Postgres's clock starts. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
/** How long a closing connection waits for Postgres to hang up, by which the temporary slot is gone. */
const GOODBYE_MS = 3_000;

const COPY_DATA = 0x64; // d
const COPY_BOTH = 0x57; // W
const ERROR = 0x45; // E
const COPY_DONE = 0x63; // c
const XLOG_DATA = 0x77; // w
const KEEPALIVE = 0x6b; // k
const COMMIT = 0x43; // C

export class ReplicationConnection {
  readonly #client: pg.Client;
  readonly #clock: ReplicationClock;
  readonly #pace: Pace;
  #closed = false;
  #closing = false;
  #reason: Error | null = null;
  #handler: StreamHandler | null = null;
  #started: (() => void) | null = null;
  #onClosed: (reason: Error) => void = () => undefined;
  #nap: NodeJS.Timeout | undefined;
  /** Set while something was read that is not settled; since when, and what. */
  #settling: NodeJS.Immediate | undefined;
  #cameAt = 0;
  #bytes = 0;
  #messages = 0;
  #commits = 0;
  #lastReadAt = 0;
  #confirmed: Lsn = asLsn(0n);
  #received: Lsn = asLsn(0n);

  /** Resolves with the reason when the connection is over. */
  readonly closed: Promise<Error>;

  constructor(
    connection: string | ConnectionConfig,
    clock: ReplicationClock,
    pace: Pace = new ReadingPace(),
  ) {
    this.#clock = clock;
    this.#pace = pace;
    const config = pausable(clientConfig(connection));
    const replication = { ...config, replication: 'database' };
    this.#client = new pg.Client(replication);
    this.closed = new Promise((resolve) => (this.#onClosed = resolve));
    this.#client.on('error', (error) => this.#fail(error));
    this.#client.on('end', () => this.#finish());
  }

  /** Which Postgres backend serves us. */
  get processId(): number {
    return (this.#client as unknown as { readonly processID: number }).processID;
  }

  /** When bytes came last. */
  get lastReadAt(): number {
    return this.#lastReadAt;
  }

  async connect(): Promise<void> {
    try {
      await this.#client.connect();
      await this.#client.query(
        [...outputSettings('SET'), 'SET statement_timeout = 0', 'SET idle_session_timeout = 0'].join('; '),
      );
    } catch (error) {
      this.destroy();
      throw fromPostgres(error);
    }
    this.#lastReadAt = this.#clock.now();
  }

  /** @throws `database_is_standby`: a slot could be made there, but snapshots are taken on the primary. */
  async identify(): Promise<SystemIdentity> {
    const [standby] = await this.command('SELECT pg_is_in_recovery() AS standby');
    if (standby?.['standby'] === 'true') throw sourceError('database_is_standby', 'the stream leads there');
    const [row] = await this.command('IDENTIFY_SYSTEM');
    return {
      systemId: must(row?.['systemid'], 'a system identifier'),
      timeline: Number(must(row?.['timeline'], 'a timeline')),
      lsn: must(parseLsn(must(row?.['xlogpos'], 'a WAL position')), 'an LSN'),
    };
  }

  /** Runs a command of the replication protocol, or a statement. Only before `stream`. */
  async command(sql: string): Promise<Readonly<Record<string, string | null>>[]> {
    try {
      const result = await this.#client.query<Record<string, unknown>>(sql);
      return result.rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
        ),
      );
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  /** Starts the stream. Resolves when Postgres has accepted; from then on the handler is called. */
  async stream(options: StreamOptions, handler: StreamHandler): Promise<void> {
    this.#handler = handler;
    const socket = this.#socket();
    // The connection is idle, so pg's parser holds no half message: from here on the bytes are read by us alone.
    socket.removeAllListeners('data');
    const frames = new FrameReader((type, buffer, start, end) => this.#frame(type, buffer, start, end));
    socket.on('data', (chunk: Buffer) => this.#read(frames, chunk));
    const started = new Promise<void>((resolve) => (this.#started = resolve));
    socket.write(queryMessage(startCommand(options)));
    const failed = this.closed.then((reason) => Promise.reject(reason));
    await Promise.race([started, failed]);
  }

  /**
   * Tells Postgres what it may forget, and optionally asks for a keepalive at once.
   * @param confirmed never goes back: a lower one than before is raised to it.
   */
  feedback(received: Lsn, confirmed: Lsn, replyRequested: boolean): void {
    if (this.#closed || this.#handler === null) return;
    if (confirmed > this.#confirmed) this.#confirmed = confirmed;
    if (received > this.#received) this.#received = received;
    const message = Buffer.alloc(5 + 34);
    message.writeUInt8(COPY_DATA, 0);
    message.writeUInt32BE(4 + 34, 1);
    message.writeUInt8(0x72, 5); // r
    message.writeBigUInt64BE(this.#received, 6);
    message.writeBigUInt64BE(this.#confirmed, 14);
    message.writeBigUInt64BE(this.#confirmed, 22);
    message.writeBigInt64BE(BigInt(Math.round((Date.now() - POSTGRES_EPOCH_MS) * 1000)), 30);
    message.writeUInt8(replyRequested ? 1 : 0, 38);
    this.#socket().write(message);
  }

  /** Says goodbye and waits until Postgres hung up: a temporary slot is gone then. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closing = true;
    clearTimeout(this.#nap);
    this.#leave();
    this.#socket().resume();
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    void this.#client.end().catch(() => undefined);
    await this.closed;
    clearTimeout(timer);
  }

  /** Cuts the connection without a word. */
  destroy(reason?: Error): void {
    this.#reason ??= reason ?? null;
    this.#leave();
    clearTimeout(this.#nap);
    this.#socket().destroy();
    this.#finish();
  }

  #leave(): void {
    this.#handler?.end();
    this.#handler = null;
  }

  #socket(): Duplex {
    // `pg` does not type the connection it carries; the stream on it is the TCP or TLS socket.
    return (this.#client as unknown as { readonly connection: { readonly stream: Duplex } }).connection
      .stream;
  }

  /**
   * Chunks that come in one turn of the event loop are settled together: the records of TLS come each by itself, and
   * what came during a nap comes apart from what is read after it.
   */
  #read(frames: FrameReader, chunk: Buffer): void {
    if (this.#settling === undefined) {
      this.#settling = setImmediate(() => this.#settle());
      this.#lastReadAt = this.#clock.now();
      this.#cameAt = performance.now(); // finer than the clock
    }
    this.#bytes += chunk.length;
    this.#guard(() => {
      try {
        frames.push(chunk);
      } catch (error) {
        this.#flush();
        throw error;
      }
    });
  }

  #settle(): void {
    const come = { bytes: this.#bytes, messages: this.#messages, commits: this.#commits };
    this.#guard(() => this.#flush());
    const napMs = this.#pace.read(this.#cameAt, come);
    if (napMs > 0 && this.#handler !== null && !this.#closed) this.#rest(napMs);
  }

  #flush(): void {
    clearImmediate(this.#settling);
    this.#settling = undefined;
    [this.#bytes, this.#messages, this.#commits] = [0, 0, 0];
    this.#handler?.flush();
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.destroy(error instanceof Error ? error : undefined);
    }
  }

  #rest(napMs: number): void {
    const socket = this.#socket();
    socket.pause();
    this.#nap = setTimeout(() => socket.resume(), napMs);
  }

  #frame(type: number, buffer: Buffer, start: number, end: number): void {
    switch (type) {
      case COPY_DATA:
        this.#copyData(buffer, start, end);
        return;
      case COPY_BOTH:
        this.#started?.();
        return;
      case ERROR:
        this.#flush();
        this.destroy(errorOf(buffer, start, end));
        return;
      case COPY_DONE:
        this.#flush();
        this.destroy(sourceError('database_disconnected', 'the stream was ended by Postgres'));
        return;
      default: // notices, parameter changes
    }
  }

  #copyData(buffer: Buffer, start: number, end: number): void {
    const handler = this.#handler;
    if (handler === null) return;
    const type = buffer[start];
    if (type === XLOG_DATA) {
      this.#messages++;
      if (buffer[start + 25] === COMMIT) this.#commits++;
      // start, end and time of the message: all three are of no use for logical decoding
      handler.message(buffer, start + 25, end);
    } else if (type === KEEPALIVE) {
      handler.keepalive(asLsn(buffer.readBigUInt64BE(start + 1)), buffer[start + 17] === 1);
    } else throw sourceError('stream_malformed', `copy message ${type}`);
  }

  #fail(error: unknown): void {
    try {
      this.#reason ??= fromPostgres(error);
    } catch (unknown) {
      this.#reason ??= unknown instanceof Error ? unknown : null;
    }
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#nap);
    // A socket closes behind what was read in that turn; after `destroy` nothing more is told.
    clearImmediate(this.#settling);
    this.#onClosed(this.#reason ?? sourceError(this.#closing ? 'source_stopped' : 'database_disconnected'));
  }
}

function startCommand(options: StreamOptions): string {
  const settings = [
    `proto_version '1'`,
    `publication_names '${quoteIdentifier(options.publication).replaceAll("'", "''")}'`,
    `messages 'true'`,
  ];
  const slot = quoteIdentifier(options.slot);
  return `START_REPLICATION SLOT ${slot} LOGICAL ${formatLsn(options.from)} (${settings.join(', ')})`;
}

function queryMessage(sql: string): Buffer {
  const text = Buffer.from(sql, 'utf8');
  const message = Buffer.alloc(text.length + 6);
  message.writeUInt8(0x51, 0); // Q
  message.writeUInt32BE(text.length + 5, 1);
  text.copy(message, 5);
  return message;
}

/** `field type, text, zero` … `zero` (Postgres manual, "Error and Notice Message Fields"). */
function errorOf(buffer: Buffer, start: number, end: number): Error {
  const fields = new Map<string, string>();
  for (let at = start; at < end && buffer[at] !== 0;) {
    const zero = buffer.indexOf(0, at + 1);
    if (zero < 0 || zero >= end) break;
    fields.set(String.fromCharCode(buffer[at] as number), buffer.toString('utf8', at + 1, zero));
    at = zero + 1;
  }
  return fromState(fields.get('C') ?? 'XX000', fields.get('M') ?? '');
}
