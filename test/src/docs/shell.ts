import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { freePort } from '@sluice/server/embedded/embedded-postgres';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const SHIMS: Readonly<Record<string, string>> = {
  sluice: `exec "${process.execPath}" "${ROOT}/test/dist/docs/shims/sluice.js" "$@"`,
  psql: `exec "${process.execPath}" "${ROOT}/test/dist/docs/shims/psql.js" "$@"`,
  npm: `exec "${process.execPath}" "${ROOT}/test/dist/docs/shims/npm.js" "$@"`,
  npx: '[ "$1" = sluice ] || exit 1\nexec "$@"',
};
const BLOCK_TIMEOUT_MS = 2 * PATIENCE_MS;

/**
 * A terminal in an empty folder, in which `sluice`, `npx`, `npm` and `psql` are found, and nothing that is installed
 * but not needed by a reader stands in for them.
 */
export class Shell {
  readonly folder: string;
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  static async open(): Promise<Shell> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-page-'));
    await chmod(folder, 0o755); // an embedded Postgres in it runs as somebody else when we are root
    await mkdir(join(folder, 'bin'));
    for (const [name, script] of Object.entries(SHIMS)) {
      await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    return new Shell(folder, await freePort());
  }

  /** Runs the lines of a block until one fails. A server that they start goes on. @returns what was printed. */
  run(lines: string, env: Readonly<Record<string, string>>): Promise<string> {
    const { DATABASE_URL: _, OWNER_URL: __, ...inherited } = process.env;
    const child = spawn('sh', ['-e', '-c', lines], {
      cwd: this.folder,
      timeout: BLOCK_TIMEOUT_MS,
      env: {
        ...inherited,
        ...env,
        PATH: `${join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}`,
        SHIM_SLUICE: join(
          dirname(createRequire(import.meta.url).resolve('@sluice/server')),
          '..',
          'bin/sluice.js',
        ),
        SHIM_MANIFEST: join(ROOT, 'package.json'),
        SHIM_PORT: String(this.port),
        SHIM_SERVERS: this.#path('servers'),
        SHIM_LOG: this.#path('server.log'),
      },
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (code === 0) resolve(printed);
        else
          void this.log().then((log) =>
            reject(new Error(`${lines}\nended with ${code ?? signal}: ${printed}${log}`)),
          );
      });
    });
  }

  /** What the server that was started last has written to stderr. */
  log(): Promise<string> {
    return readFile(this.#path('server.log'), 'utf8').catch(() => '');
  }

  /** Ctrl-C to the server that runs; resolves when it is gone. */
  async stopServers(): Promise<void> {
    const pids = (await readFile(this.#path('servers'), 'utf8').catch(() => '')).trim();
    await rm(this.#path('servers'), { force: true });
    for (const pid of pids.split('\n').filter((line) => line !== '')) await ended(Number(pid));
  }

  async close(): Promise<void> {
    await this.stopServers();
    await rm(this.folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.folder, 'bin', name);
  }
}

/** It is no child of ours, so that nobody tells when it ends: its process has to be looked at. */
async function ended(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGINT');
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.kill(pid, 0);
    }
  } catch {
    // It is gone.
  }
}
