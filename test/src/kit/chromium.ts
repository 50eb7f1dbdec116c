import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryCache } from '@sluice/server/embedded/binaries';
import { chromium, type Browser } from 'playwright-core';

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * A real Chromium, headless: that of `SLUICE_CHROMIUM`, else an installed one, else the one whose binary is in the
 * package `@sparticuz/chromium`. Close it when done.
 */
export async function launchChromium(): Promise<Browser> {
  const installed = process.env['SLUICE_CHROMIUM'] ?? INSTALLED.find((path) => existsSync(path));
  if (installed !== undefined) return launch(installed);
  const folder = await unpacked();
  try {
    return await launch(join(folder, 'chromium'));
  } catch {
    // A bare system lacks NSS, which Chromium links to: the package brings it.
    return launch(join(folder, 'chromium'), { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') });
  }
}

function launch(executablePath: string, env: Readonly<Record<string, string>> = {}): Promise<Browser> {
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    // Root has no user namespaces to build a sandbox, or the zygote's, of; the pages are our own.
    args: process.getuid?.() === 0 ? ['--no-sandbox', '--no-zygote'] : [],
  });
}

/**
 * Unpacks the package's binary once, into the repository's cache. The package unpacks into the system's temporary
 * folder, where two processes would meet: so a process of its own does it into a folder of its own, which then
 * takes its name in one step.
 */
async function unpacked(): Promise<string> {
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@sparticuz/chromium');
  const { devDependencies } = require('../../package.json') as {
    devDependencies: { '@sparticuz/chromium': string };
  };
  const folder = join(repositoryCache(), `chromium-${devDependencies['@sparticuz/chromium']}`);
  if (existsSync(folder)) return folder;
  await mkdir(repositoryCache(), { recursive: true });
  const scratch = await mkdtemp(join(repositoryCache(), 'chromium-'));
  await promisify(execFile)(
    process.execPath,
    ['-e', `const it = require(${JSON.stringify(entry)}); (it.default ?? it).executablePath()`],
    { env: { ...process.env, TMPDIR: scratch, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' } },
  );
  await rename(scratch, folder).catch(async (error: unknown) => {
    await rm(scratch, { recursive: true });
    if (!existsSync(folder)) throw error;
  });
  return folder;
}
