import type pg from 'pg';
import type { Config } from '../../config/config.js';
import { connectionConfig } from '../../config/database.js';
import { makeSluice } from '../../sluice.js';
import { clientConfig } from '../../source/connection-config.js';
import {
  developmentUrls,
  grantForDevelopment,
  NewTables,
  startDevelopmentPostgres,
  type DevelopmentRights,
} from '../development.js';
import type { ExitCode, Io } from '../io.js';
import { serve } from './start.js';

const SERVICE_ROLE = 'sluice_service';
const NEW_TABLES_MS = 250;

/** `sluice dev`: `start`, with a Postgres of the project's own unless one is configured, and rights given by itself. */
export async function dev(config: Config, io: Io): Promise<ExitCode> {
  if (config.database !== undefined) {
    const owner = clientConfig(connectionConfig(config.database));
    return serveGranted(config, owner, String(owner.user ?? ''), io);
  }
  const postgres = await startDevelopmentPostgres(io.folder);
  try {
    const urls = developmentUrls(postgres, SERVICE_ROLE);
    io.err(`Postgres: psql ${urls.owner}\n`);
    const database = { url: urls.service };
    return await serveGranted({ ...config, database }, clientConfig(urls.owner), SERVICE_ROLE, io);
  } finally {
    await postgres.stop();
  }
}

async function serveGranted(
  config: Config,
  owner: pg.ClientConfig,
  serviceRole: string,
  io: Io,
): Promise<ExitCode> {
  const { publication, role: clientRole } = config;
  const rights: DevelopmentRights = { owner, serviceRole, clientRole, publication };
  await grantForDevelopment(rights);
  let said = '';
  const tables = new NewTables(rights, NEW_TABLES_MS, (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code !== said) io.err(`new tables cannot be published now: ${code}\n`);
    said = code;
  });
  tables.start();
  try {
    return await serve(makeSluice({ ...config, explain: config.explain ?? true }), io);
  } finally {
    await tables.stop();
  }
}
