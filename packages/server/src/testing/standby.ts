import { chmod, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { giveToPostgres } from '../embedded/embedded-postgres.js';
import { until } from './deadline.js';
import { makeFolder, startIn, withClient, type TestPostgres, type TestPostgresOptions } from './postgres.js';

export interface StandbyOptions {
  readonly settings?: TestPostgresOptions['settings'];
  /** The database whose slots it copies (17+). */
  readonly database?: string;
  /** Where it streams from: the primary itself, unless a proxy stands between. */
  readonly port?: number;
}

/** The physical slot on the primary that keeps WAL for the standby. */
export const STANDBY_SLOT = 'standby';

/**
 * A hot standby that streams from `primary`, made from a base backup through the low-level interface: the embedded
 * packages hold no pg_basebackup. It has replayed what was committed before.
 */
export async function startStandby(
  primary: TestPostgres,
  options: StandbyOptions = {},
): Promise<TestPostgres> {
  const folder = await makeFolder();
  const { database = 'postgres', port = primary.port } = options;
  const major = await backUp(primary, join(folder, 'data'));
  await writeFor(join(folder, 'data', 'standby.signal'), '');
  const standby = await startIn(folder, {
    major,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${port} user=postgres dbname=${database}`,
      primary_slot_name: STANDBY_SLOT,
      hot_standby_feedback: 'on',
      ...options.settings,
    },
  });
  await replayed(primary, standby);
  return standby;
}

/** Resolves when the standby shows what the primary has committed by now. */
export async function replayed(primary: TestPostgres, standby: TestPostgres): Promise<void> {
  const end = await withClient(primary.url(), (client) => one(client, 'SELECT pg_current_wal_lsn()'));
  await withClient(standby.url(), async (client) => {
    const behind = `SELECT pg_last_wal_replay_lsn() IS NULL OR pg_last_wal_replay_lsn() < '${end}'`;
    await until(async () => (await one(client, behind)) !== 'true');
  });
}

/** Makes the standby a primary: a new timeline. Resolves when it takes writes. */
export async function promote(standby: TestPostgres): Promise<void> {
  await withClient(standby.url(), (client) => client.query('SELECT pg_promote(true)'));
}

/**
 * What a restore leaves behind: a server on a copy of a stopped server's files that ends recovery where they end, on
 * a timeline of its own.
 * @param folder made by `copyStopped`
 */
export function startRestored(folder: string, port: number, major?: number): Promise<TestPostgres> {
  const settings = { restore_command: '/bin/false', hot_standby: 'off' };
  return startIn(folder, { port, settings, ...(major === undefined ? {} : { major }) });
}

/** The files of a server that is not running, to be restored from. @returns the folder for `startRestored` */
export async function copyStopped(server: TestPostgres): Promise<string> {
  const folder = await makeFolder();
  await copyData(server.dataDir, join(folder, 'data'), new Set(['postmaster.pid', 'postmaster.opts']));
  await writeFor(join(folder, 'data', 'recovery.signal'), '');
  return folder;
}

/** Not part of a base backup (Postgres manual, "Backing Up The Data Directory"); the WAL is streamed. */
const NOT_BACKED_UP = new Set(['postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_wal']);

/** The files of a running server. @returns its major */
async function backUp(primary: TestPostgres, dataDir: string): Promise<number> {
  return withClient(primary.url(), async (client) => {
    const major = Math.floor(Number(await one(client, `SELECT current_setting('server_version_num')`)) / 1e4);
    const [start, stop] =
      major >= 15
        ? [`pg_backup_start('copy', true)`, 'pg_backup_stop(false)']
        : [`pg_start_backup('copy', true, false)`, 'pg_stop_backup(false, false)'];
    await client.query(`SELECT pg_create_physical_replication_slot('${STANDBY_SLOT}', true)`);
    await client.query(`SELECT ${start}`);
    await copyData(primary.dataDir, dataDir, NOT_BACKED_UP);
    for (const empty of ['pg_replslot', 'pg_wal', 'pg_wal/archive_status'])
      await makeDir(join(dataDir, empty));
    await writeFor(join(dataDir, 'backup_label'), await one(client, `SELECT labelfile FROM ${stop}`));
    return major;
  });
}

async function copyData(from: string, to: string, except: ReadonlySet<string>): Promise<void> {
  await makeDir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (except.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyData(source, target, NOTHING);
    else await copyFor(source, target);
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** A file that a running server removes meanwhile is none that a backup needs. */
async function copyFor(source: string, target: string): Promise<void> {
  try {
    await copyFile(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await chmod(target, 0o600);
  await giveToPostgres(target);
}

async function makeDir(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700, recursive: true });
  await giveToPostgres(path);
}

async function writeFor(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await giveToPostgres(path);
}

async function one(client: pg.Client, sql: string): Promise<string> {
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
  return String(rows[0]?.[0]);
}
