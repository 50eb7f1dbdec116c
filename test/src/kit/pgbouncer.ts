import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@sluice/server/embedded/embedded-postgres';

/** Where Debian, Homebrew and the rest put it. */
const PLACES = ['pgbouncer', '/usr/sbin/pgbouncer', '/usr/local/sbin/pgbouncer'];

/** The first that runs, with its version; null when this machine has none. */
export function findPgbouncer(): { readonly path: string; readonly version: string } | null {
  for (const path of PLACES) {
    try {
      const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
      return { path, version };
    } catch {
      // not there
    }
  }
  return null;
}

export interface Pgbouncer {
  readonly port: number;
  stop(): Promise<void>;
}

/** A real pooler in transaction mode, with few connections to Postgres, so that they change hands all the time. */
export async function startPgbouncer(
  path: string,
  postgresPort: number,
  users: readonly string[],
): Promise<Pgbouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  await writeFile(join(folder, 'users'), users.map((user) => `"${user}" ""\n`).join(''));
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(folder, 'users'),
    pool_mode: 'transaction',
    default_pool_size: 3,
    max_client_conn: 100,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]\n* = host=127.0.0.1 port=${postgresPort}\n[pgbouncer]\n${lines.join('\n')}\n`,
  );
  // It refuses to run as root; 65534 is nobody.
  const as = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = spawn(path, [file], { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, ...as });
  const exited = once(child, 'exit');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('process up')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`pgbouncer did not start: ${said}`)));
  });
  return {
    port,
    stop: async () => {
      child.kill('SIGQUIT');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
