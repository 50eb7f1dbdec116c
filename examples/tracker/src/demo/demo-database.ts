import { fileURLToPath } from 'node:url';
import { grantForDevelopment, startDevelopmentPostgres } from '@sluice/server/cli/development';
import { withConnection } from '@sluice/server/cli/check/connect';
import { connectionConfig } from '@sluice/server/config/database';
import { clientConfig } from '@sluice/server/source/connection-config';
import type pg from 'pg';
import { connected, isSeeded, seed } from './seed.js';

const SERVICE_ROLE = 'sluice_service';
const CLIENT_ROLE = 'sluice_client';
const PUBLICATION = 'sluice';
/** On the demo's own server: owns the tables, and is no superuser, as the page can run SQL as it. */
const OWNER_ROLE = 'tracker';
const OWN_DATABASE = 'tracker';
/** On a server that was given. */
const GUEST_DATABASE = 'sluice_tracker';

export interface DemoDatabase {
  /** For the application: the owner of the tables. */
  readonly ownerUrl: string;
  /** For Sluice. */
  readonly serviceUrl: string;
  /** What was made on a server that was given, in words; nothing on the demo's own. */
  readonly created: readonly string[];
  stop(): Promise<void>;
}

export interface Seeding {
  readonly issues: number;
  /** Told how many issues are there. */
  readonly progress: (issues: number) => void;
}

/** The tracker's own Postgres; its data is in `folder/.sluice`, which git does not see. */
export async function ownDatabase(folder: string, seeding: Seeding): Promise<DemoDatabase> {
  const server = await startDevelopmentPostgres(folder);
  try {
    await connected(server.url(), async (client) => {
      if (!(await exists(client, 'pg_roles', 'rolname', OWNER_ROLE)))
        await client.query(`CREATE ROLE ${OWNER_ROLE} LOGIN`);
      if (!(await exists(client, 'pg_database', 'datname', OWN_DATABASE)))
        await client.query(`CREATE DATABASE ${OWN_DATABASE} OWNER ${OWNER_ROLE}`);
    });
    const ownerUrl = server.url(OWN_DATABASE, OWNER_ROLE);
    await seedOnce(ownerUrl, seeding);
    await grant(server.url(OWN_DATABASE), SERVICE_ROLE);
    return {
      ownerUrl,
      serviceUrl: server.url(OWN_DATABASE, SERVICE_ROLE),
      created: [],
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A database of its own on a server that was given, where everything runs as the user of `url`. */
export async function guestDatabase(url: string, seeding: Seeding): Promise<DemoDatabase> {
  const created: string[] = [];
  await refuseUnfit(url);
  await connected(url, async (client) => {
    if (!(await exists(client, 'pg_database', 'datname', GUEST_DATABASE))) {
      await client.query(`CREATE DATABASE ${GUEST_DATABASE}`);
      created.push(`database ${GUEST_DATABASE}`);
    }
    if (!(await exists(client, 'pg_roles', 'rolname', CLIENT_ROLE))) created.push(`role ${CLIENT_ROLE}`);
  });
  const target = new URL(url);
  target.pathname = `/${GUEST_DATABASE}`;
  const ownerUrl = target.href;
  await seedOnce(ownerUrl, seeding);
  const hasPublication = await connected(ownerUrl, (client) =>
    exists(client, 'pg_publication', 'pubname', PUBLICATION),
  );
  if (!hasPublication) created.push(`publication ${PUBLICATION} in ${GUEST_DATABASE}`);
  await grant(ownerUrl, await userOf(ownerUrl));
  return { ownerUrl, serviceUrl: ownerUrl, created, stop: async () => undefined };
}

interface Fitness {
  readonly wal: string;
  readonly creates: boolean;
  readonly replicates: boolean;
}

/** Before anything is created there. @throws Error with all that is missing, SluiceError when it cannot be reached */
async function refuseUnfit(url: string): Promise<void> {
  const config = clientConfig(connectionConfig({ url }));
  const fitness = await withConnection(config, async (client) => {
    const { rows } = await client.query<Fitness>(
      `SELECT current_setting('wal_level') AS wal, rolsuper OR rolreplication AS replicates,
         rolsuper OR rolcreatedb AND rolcreaterole AS creates
       FROM pg_roles WHERE rolname = current_user`,
    );
    return rows[0];
  });
  const missing: string[] = [];
  if (fitness?.wal !== 'logical')
    missing.push(`wal_level is ${fitness?.wal}: ALTER SYSTEM SET wal_level = logical, and restart Postgres`);
  if (fitness?.creates !== true)
    missing.push('its user may not create databases and roles: ALTER ROLE … CREATEDB CREATEROLE');
  if (fitness?.replicates !== true) missing.push('its user may not replicate: ALTER ROLE … REPLICATION');
  if (missing.length > 0)
    throw new Error(['The server of DATABASE_URL cannot be used yet:', ...missing].join('\n  '));
}

/** Where the demo keeps its data: this example's folder. */
export const TRACKER_FOLDER: string = fileURLToPath(new URL('../../', import.meta.url));

async function seedOnce(url: string, { issues, progress }: Seeding): Promise<void> {
  if (await isSeeded(url)) return;
  await seed(url, issues, (share) => progress(Math.round(issues * share)));
}

function grant(url: string, serviceRole: string): Promise<void> {
  const owner: pg.ClientConfig = { connectionString: url };
  return grantForDevelopment({ owner, serviceRole, clientRole: CLIENT_ROLE, publication: PUBLICATION });
}

function userOf(url: string): Promise<string> {
  return connected(url, async (client) => {
    const { rows } = await client.query<{ name: string }>('SELECT current_user::text AS name');
    return rows[0]?.name ?? '';
  });
}

async function exists(client: pg.Client, catalog: string, column: string, name: string): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM ${catalog} WHERE ${column} = $1`, [name]);
  return rows.length > 0;
}
