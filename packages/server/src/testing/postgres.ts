import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { readFacts } from '../cli/check/facts.js';
import { grantStatements, roleStatements } from '../cli/check/grants.js';
import { embeddedBinaries, repositoryCache } from '../embedded/binaries.js';
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from '../embedded/embedded-postgres.js';
import { PATIENCE_MS } from './deadline.js';

const AGAIN_MS = 100;
const OBJECT_IN_USE = '55006';
/** How long sessions are given to end that a test has closed; those that it left open are ended then. */
const CLOSING_LOOK_MS = 20;
const CLOSING_LOOKS = 100;

/** A Postgres of a test's own: fast rather than durable, unless the test says otherwise. */
export interface TestPostgres extends EmbeddedPostgres {
  /** Stops it and removes its data. */
  destroy(): Promise<void>;
}

export interface TestPostgresOptions {
  /** Default: the environment's `SLUICE_TEST_POSTGRES`, else 18. */
  readonly major?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly initdb?: readonly string[];
  readonly port?: number;
}

/** `fsync` stays on when the test kills the server: only then is a `kill -9` honest. */
const FAST = { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB' };
const ROOM = {
  max_replication_slots: '60',
  max_wal_senders: '60',
  max_connections: '300',
  log_min_messages: 'fatal',
};

export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const server = await startIn(await makeFolder(), options);
  await createRoles(server.url());
  return server;
}

/** Where a server's data goes; `destroy` removes it. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  await chmod(folder, 0o755);
  return folder;
}

/** A server on what the folder holds as `data`, initialised when there is nothing. */
export async function startIn(folder: string, options: TestPostgresOptions): Promise<TestPostgres> {
  const major = options.major ?? Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18);
  const server = await startOnFreePort({
    binaries: await embeddedBinaries(major, repositoryCache()),
    dataDir: join(folder, 'data'),
    settings: { ...FAST, ...ROOM, log_min_messages: 'log', ...options.settings },
    ...(options.initdb ? { initdb: options.initdb } : {}),
    ...(options.port ? { port: options.port } : {}),
  });
  const started = server.start.bind(server);
  return Object.assign(server, {
    start: () => patiently(started, isTaken),
    destroy: async () => {
      await server.stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** A port that was free a moment ago may be taken by now, when much else is running: another one, if it need not be this. */
function startOnFreePort(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return patiently(() => startEmbeddedPostgres(options), isTaken);
}

/** By somebody else, or by what is left of a server that was killed: for a moment. */
function isTaken(error: unknown): boolean {
  return /Address already in use|pre-existing shared memory|lock file .* already exists/.test(String(error));
}

/** Again and again while it fails so. */
async function patiently<T>(work: () => Promise<T>, passes: (error: unknown) => boolean): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > end || !passes(error)) throw error;
      await delay(AGAIN_MS);
    }
  }
}

/** The roles that every test connects as: neither superuser nor owner. */
export const SERVICE_ROLE = 'sluice_service';
export const CLIENT_ROLE = 'sluice_client';

async function createRoles(adminUrl: string): Promise<void> {
  const roles = { serviceRole: SERVICE_ROLE, clientRole: CLIENT_ROLE };
  await withClient(adminUrl, async (client) => {
    for (const statement of roleStatements({ rdsReplicationRole: false }, roles))
      await client.query(statement);
  });
}

export interface TestDatabase {
  readonly name: string;
  /** As the owner (a superuser): to create tables and to write. */
  readonly adminUrl: string;
  /** As the service role. */
  readonly url: string;
  /** Runs the SQL of `sluice check --print-grants` as the owner. Call after CREATE TABLE. */
  publish(options?: { readonly eventTrigger: boolean }): Promise<void>;
  sql(text: string, params?: readonly unknown[]): Promise<pg.QueryResult>;
  drop(): Promise<void>;
}

/** A database of its own on a running server, with the publication `sluice` once `publish` is called. */
export async function createTestDatabase(
  server: Pick<EmbeddedPostgres, 'url'>,
  setup?: string,
  /** What CREATE DATABASE says beside the name: a locale. */
  creation: string = '',
): Promise<TestDatabase> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  await withClient(server.url(), (client) => client.query(`CREATE DATABASE ${name} ${creation}`));
  const adminUrl = server.url(name);
  const pool = new pg.Pool({ connectionString: adminUrl, max: 4 });
  pool.on('error', () => undefined); // a server that a test kills
  pool.on('connect', (client) => client.on('error', () => undefined));
  const database: TestDatabase = {
    name,
    adminUrl,
    url: server.url(name, SERVICE_ROLE),
    sql: (text, params) => pool.query(text, params ? [...params] : undefined),
    publish: (options) => publish(adminUrl, options?.eventTrigger ?? false),
    drop: async () => {
      await pool.end();
      // Sessions that have been closed are not forced: an end that comes late is an error that nobody listens to.
      const others = 'SELECT FROM pg_stat_activity WHERE datname = $1';
      await withClient(server.url(), async (client) => {
        for (
          let left = CLOSING_LOOKS;
          left > 0 && (await client.query(others, [name])).rowCount !== 0;
          left--
        )
          await delay(CLOSING_LOOK_MS);
      });
      // Not while one of its slots is read: the process that does may not have noticed yet that its client has gone.
      await patiently(
        () => withClient(server.url(), (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)),
        (error) => (error as { code?: string }).code === OBJECT_IN_USE,
      );
    },
  };
  if (setup !== undefined) {
    await pool.query(setup);
    await database.publish();
  }
  return database;
}

/** Runs what `sluice check --print-grants` prints: the only rights that any test has. */
async function publish(adminUrl: string, eventTrigger: boolean): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const options = {
      publication: 'sluice',
      serviceRole: SERVICE_ROLE,
      clientRole: CLIENT_ROLE,
      eventTrigger,
    };
    const facts = await readFacts(client, options);
    for (const statement of grantStatements(facts, options)) await client.query(statement);
  });
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
