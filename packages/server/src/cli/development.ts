import { createHash } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { embeddedBinaries } from '../embedded/binaries.js';
import {
  freePort,
  isReachable,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '../embedded/embedded-postgres.js';
import { readFacts } from './check/facts.js';
import { grantStatements } from './check/grants.js';
import { withConnection } from './check/connect.js';
import { cliError } from './errors.js';

export const DEVELOPMENT_MAJOR = 18;
const DATABASE = 'postgres';
/** How long a Postgres is given that is stopping. */
const LEAVING_MS = 2_000;

/** Starts the project's own Postgres; its data is in `.sluice`, which git does not see. */
export async function startDevelopmentPostgres(folder: string): Promise<EmbeddedPostgres> {
  const home = join(folder, '.sluice');
  await mkdir(home, { recursive: true });
  await writeFile(join(home, '.gitignore'), '*\n');
  const dataDir = await dataFolder(home);
  await refuseSecond(dataDir);
  const binaries = await embeddedBinaries(DEVELOPMENT_MAJOR, join(home, 'cache')).catch((error: unknown) => {
    throw cliError('embedded_missing', undefined, { cause: error });
  });
  const port = await samePort(join(home, 'postgres-port'));
  try {
    return await startEmbeddedPostgres({ binaries, dataDir, port, guarded: true });
  } catch (error) {
    throw cliError('embedded_failed', error instanceof Error ? lastWords(error.message) : undefined, {
      cause: error,
    });
  }
}

/**
 * Where the data is: in the project, or, when this process is root and the project lies where the user that
 * Postgres then runs as cannot go (`/root`), behind a link to a folder that belongs to this project alone.
 */
async function dataFolder(home: string): Promise<string> {
  const inside = join(home, `postgres-${DEVELOPMENT_MAJOR}`);
  if (await isReachable(home)) return inside;
  const name = createHash('sha256').update(inside).digest('hex').slice(0, 16);
  const outside = join('/var/tmp', `sluice-${name}-postgres-${DEVELOPMENT_MAJOR}`);
  await symlink(outside, inside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return outside;
}

/** Postgres writes its process id there while it runs. */
async function refuseSecond(dataDir: string): Promise<void> {
  const pid = Number(
    (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0],
  );
  if (!Number.isInteger(pid) || pid <= 0) return;
  try {
    // One whose owner was killed is on its way out.
    for (const endMs = Date.now() + LEAVING_MS; Date.now() < endMs; await pause(50)) process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return;
  }
  throw cliError('embedded_running', `process ${pid}, with the data in ${dataDir}`);
}

/** The port of last time, so that a psql in another window connects again; another one when it is taken. */
async function samePort(file: string): Promise<number> {
  const last = Number(await readFile(file, 'utf8').catch(() => ''));
  const port = await freePort(Number.isInteger(last) && last > 0 ? last : 0).catch(() => freePort());
  await writeFile(file, `${port}\n`);
  return port;
}

function lastWords(message: string): string {
  const fatal = message.split('\n').filter((line) => /FATAL|ERROR|HINT/.test(line));
  return (fatal.length > 0 ? fatal : message.split('\n')).slice(-3).join('\n');
}

export function developmentUrls(
  server: EmbeddedPostgres,
  serviceRole: string,
): { owner: string; service: string } {
  return { owner: server.url(DATABASE), service: server.url(DATABASE, serviceRole) };
}

export interface DevelopmentRights {
  /** A connection that may create roles and owns the tables. */
  readonly owner: pg.ClientConfig;
  readonly serviceRole: string;
  readonly clientRole: string;
  readonly publication: string;
}

/** Runs what `check --print-grants` prints, so far as it adds something: roles, rights and publication. */
export async function grantForDevelopment(rights: DevelopmentRights): Promise<void> {
  await withConnection(rights.owner, (client) => grantWhatIsMissing(client, rights));
}

async function grantWhatIsMissing(client: pg.Client, rights: DevelopmentRights): Promise<void> {
  const facts = await readFacts(client, rights);
  for (const statement of grantStatements(facts, rights)) await client.query(statement);
}

/**
 * Keeps new tables published and readable while a developer creates them: looks every `intervalMs`, and grants
 * only when there is a table that it has not seen.
 */
export class NewTables {
  readonly #rights: DevelopmentRights;
  readonly #intervalMs: number;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #seen = '';
  #client: pg.Client | null = null;

  constructor(rights: DevelopmentRights, intervalMs: number, failed: (error: unknown) => void) {
    this.#rights = rights;
    this.#intervalMs = intervalMs;
    this.#failed = failed;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#look()
        .catch((error: unknown) => {
          this.#client = null;
          this.#failed(error);
        })
        .then(() => {
          if (this.#timer !== null) this.start();
        });
    }, this.#intervalMs);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#round;
    await this.#client?.end().catch(() => undefined);
  }

  async #look(): Promise<void> {
    const client = this.#client ?? (await connected(this.#rights.owner));
    this.#client = client;
    const { rows } = await client.query<{ tables: string | null }>(
      `SELECT string_agg(oid::text, ',' ORDER BY oid) AS tables FROM pg_class
       WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relpersistence <> 't' AND oid >= 16384`,
    );
    const tables = rows[0]?.tables ?? '';
    if (tables === this.#seen) return;
    await grantWhatIsMissing(client, this.#rights);
    this.#seen = tables;
  }
}

async function connected(connection: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined); // the next look fails with it
  await client.connect();
  return client;
}
