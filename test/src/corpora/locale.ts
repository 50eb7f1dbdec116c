import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** `localedef` warns of what a locale leaves out, and makes it all the same. */
const WARNED = 1;

/** What initdb is told for a locale: of the C library, or `icu:…`. */
export function localeArguments(locale: string): readonly string[] {
  const icu = /^icu:(.*)$/.exec(locale)?.[1];
  return icu === undefined
    ? [`--locale=${locale}`]
    : ['--locale-provider=icu', `--icu-locale=${icu}`, '--locale=C.UTF-8'];
}

/**
 * Makes a locale of the C library where the system has none of that name, and lets all processes that are started from
 * here on find it. Its source is that of the system, else that of Debian's package `locales`, which is not installed.
 * @returns the folder to remove in the end; null: the system has it
 */
export async function makeLocale(locale: string): Promise<string | null> {
  if (locale.startsWith('icu:') || (await isThere(locale))) return null;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-locales-'));
  // Postgres runs as somebody else.
  await chmod(folder, 0o755);
  const [name = '', charmap = 'UTF-8'] = locale.split('.');
  const made = join(folder, locale);
  try {
    await define(name, charmap, made).catch(async () =>
      define(name, charmap, made, await debianSources(folder)),
    );
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(`There is no locale ${locale}, nor can it be made: ${String(error)}`, { cause: error });
  }
  process.env['LOCPATH'] = folder;
  return folder;
}

async function isThere(locale: string): Promise<boolean> {
  const plain = (name: string): string => name.toLowerCase().replaceAll('-', '');
  const { stdout } = await run('locale', ['-a']);
  return stdout.split('\n').some((name) => plain(name) === plain(locale));
}

async function define(name: string, charmap: string, made: string, sources?: string): Promise<void> {
  const env = sources === undefined ? process.env : { ...process.env, I18NPATH: sources };
  await run('localedef', ['-i', name, '-f', charmap, made], { env }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === WARNED)) throw error;
  });
}

async function debianSources(folder: string): Promise<string> {
  const download = (): Promise<unknown> => run('apt-get', ['download', 'locales'], { cwd: folder });
  await download().catch(async () => {
    await run('apt-get', ['update']);
    await download();
  });
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb')) ?? '';
  await run('dpkg', ['-x', join(folder, archive), join(folder, 'sources')]);
  return join(folder, 'sources', 'usr', 'share', 'i18n');
}
