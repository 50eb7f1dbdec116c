import { createServer } from 'node:net';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import { guestDatabase, ownDatabase, TRACKER_FOLDER, type DemoDatabase } from './demo-database.js';
import { LoadWriter } from './load-writer.js';
import { newestIn } from './newest.js';
import { ProgressBar } from './progress-bar.js';
import { Supervisor } from './supervisor.js';

const DEFAULT_PORT = 4455;
const DEFAULT_ISSUES = 100_000;
const PAGE = join(TRACKER_FOLDER, 'dist', 'page');
/** What the page is built from. */
const PAGE_SOURCES = [
  'src/page',
  'src/shared',
  'src/server',
  'index.html',
  'vite.config.ts',
  '../../packages',
];

export interface DemoOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly issues: number;
  /** Where `.sluice` with the data goes. */
  readonly folder: string;
  /** A server to use instead of the demo's own. */
  readonly databaseUrl: string | undefined;
}

/** What the environment asks for. @throws Error */
export function demoOptions(environment: Readonly<Record<string, string | undefined>>): DemoOptions {
  return {
    port: number(environment, 'PORT', DEFAULT_PORT),
    issues: number(environment, 'TRACKER_ISSUES', DEFAULT_ISSUES),
    folder: environment['TRACKER_FOLDER'] ?? TRACKER_FOLDER,
    databaseUrl: environment['DATABASE_URL'] || undefined,
  };
}

function number(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
  fallback: number,
): number {
  const text = environment[name];
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number`);
  return value;
}

/** A demonstration that runs. */
export interface Demo {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param say prints a line */
export async function startDemo(options: DemoOptions, say: (line: string) => void): Promise<Demo> {
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const port = await reservePort(options.port);
    const page = buildPage();
    page.catch(() => undefined); // told below, when the database is there
    const database = await openDatabase(options, say);
    ends.push(database.stop);
    for (const what of database.created) say(`Created on your server: ${what}`);
    say(`Postgres: psql ${withoutPassword(database.ownerUrl)}`);
    await page;
    const writer = new LoadWriter(database.ownerUrl);
    writer.start();
    ends.push(() => writer.stop());
    const supervisor = applicationOf(database, writer, port, say);
    ends.push(() => supervisor.stop());
    await supervisor.start();
    return { url: `http://127.0.0.1:${port}`, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function applicationOf(
  database: DemoDatabase,
  writer: LoadWriter,
  port: number,
  say: (line: string) => void,
): Supervisor {
  return new Supervisor({
    environment: () => ({
      DATABASE_URL: database.ownerUrl,
      SLUICE_DATABASE_URL: database.serviceUrl,
      PORT: String(port),
      TRACKER_PAGE: PAGE,
      TRACKER_LOAD: String(writer.perSecond),
      NODE_ENV: 'production',
    }),
    received: (message) => {
      if (message.kind === 'load') writer.perSecond = message.perSecond;
    },
    say,
  });
}

function openDatabase(
  { databaseUrl, folder, issues }: DemoOptions,
  say: (line: string) => void,
): Promise<DemoDatabase> {
  const bar = new ProgressBar('Making up issues', issues, process.stdout, say);
  const seeding = { issues, progress: (done: number) => bar.show(done) };
  return databaseUrl === undefined ? ownDatabase(folder, seeding) : guestDatabase(databaseUrl, seeding);
}

/** @throws Error when somebody else has it: better told now than after everything has started */
async function reservePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', resolve);
    });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new Error(
      `Port ${wanted} is in use. Is the demo running already? Another one: PORT=${wanted + 1} npm run demo`,
      { cause: error },
    );
  }
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

/** Only when something that it is made of is newer. */
async function buildPage(): Promise<void> {
  const made = await stat(join(PAGE, 'index.html')).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const sources = PAGE_SOURCES.map((path) => join(TRACKER_FOLDER, path));
  if ((await newestIn(sources)) <= made) return;
  await build({ root: TRACKER_FOLDER, logLevel: 'warn', mode: 'production' });
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  url.password = '';
  return url.href;
}
