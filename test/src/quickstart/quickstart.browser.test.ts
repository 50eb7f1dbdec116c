import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@sluice/server/embedded/embedded-postgres';
import { PATIENCE_MS, within } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blocksOf, type Block } from '../docs/blocks.js';
import { launchChromium } from '../kit/chromium.js';
import { applyBlocks, isOfApplication } from './apply-blocks.js';

// An application that knew nothing of Sluice, outside the repository; the README's blocks applied to it as they
// stand; the packages as npm would install them.

const run = promisify(execFile);
const root = join(dirname(createRequire(import.meta.url).resolve('@sluice/client')), '..', '..', '..');
const LINES_MAX = 25;
const SETUP = `
  CREATE TABLE project (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL);
  CREATE TABLE task (
    id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, project_id int NOT NULL REFERENCES project, title text NOT NULL,
    done boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now());
  INSERT INTO project (name) VALUES ('Garden'), ('House');
  INSERT INTO task (project_id, title) VALUES (1, 'Sow beans'), (1, 'Prune roses'), (2, 'Mend the roof')`;

let folder: string;
let database: TestDatabase;
let blocks: readonly Block[];
let added: number;

/** npm, its words kept for the error. */
async function npm(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(
    'npm',
    [...args, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'],
    {
      cwd: folder,
    },
  );
  return stdout;
}

/** @returns what `tsc --strict` complains of */
async function typeErrors(): Promise<string> {
  return npm('run', '-s', 'typecheck').then(
    () => '',
    (error: { stdout?: string }) => String(error.stdout),
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-quickstart-'));
  await cp(join(root, 'test', 'quickstart', 'app'), folder, { recursive: true });
  database = await sharedDatabase(SETUP);
  await npm('install');
  expect(await typeErrors()).toBe('');
  blocks = blocksOf(await readFile(join(root, 'README.md'), 'utf8')).filter(isOfApplication);
  const steps = blocks.filter(({ info }) => info[0] === 'sh').map(({ text }) => text);
  await run('bash', ['-euc', steps.join('\n')], { cwd: root, env: { ...process.env, APPLICATION: folder } });
  added = await applyBlocks(folder, blocks);
});

afterAll(async () => {
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

test('a few lines make a screen live: it shows what SQL changes', async () => {
  expect(blocks.length).toBeGreaterThan(2);
  expect(added).toBeLessThanOrEqual(LINES_MAX);
  expect(await typeErrors()).toBe('');
  await npm('run', 'build');
  const port = await freePort();
  const { server, ended } = serve(port);
  const browser = await launchChromium();
  try {
    await within('the application listens', listening(server));
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByText('☐ Sow beans').waitFor();
    await database.sql(`UPDATE task SET done = true WHERE title = 'Sow beans'`);
    await page.getByText('☑ Sow beans').waitFor();
    await database.sql(`INSERT INTO task (project_id, title) VALUES (1, 'Water the beans')`);
    await page.getByText('☐ Water the beans').waitFor();
    expect(await page.getByText('Mend the roof').count()).toBe(0);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
    server.kill('SIGTERM');
    await ended;
  }
});

test.each([
  [
    'argument',
    'tasksOf({ project })',
    'tasksOf({ project: String(project) })',
    /TS2322.*'string' is not assignable to type 'number'/,
  ],
  ['column', '{task.title}', '{task.titel}', /TS2551.*'titel' does not exist/],
])('a wrong %s does not compile', async (_, right, wrong, complaint) => {
  const file = join(folder, 'src', 'web', 'tasks.tsx');
  const text = await readFile(file, 'utf8');
  expect(text.split(right)).toHaveLength(2);
  await writeFile(file, text.replace(right, wrong));
  try {
    expect(await typeErrors()).toMatch(complaint);
  } finally {
    await writeFile(file, text);
  }
});

test('nothing of the database is in the built page', async () => {
  const assets = join(folder, 'dist', 'assets');
  const texts = await Promise.all(
    (await readdir(assets)).map((name) => readFile(join(assets, name), 'utf8')),
  );
  expect(texts.length).toBeGreaterThan(0);
  const page = texts.join('\n');
  expect(page).toContain('tasksOf');
  for (const secret of [
    /drizzle/i,
    /node-postgres|pg-pool|pg-protocol/,
    /\bselect\b[^;]{0,80}\bfrom\b/i,
    /project_id/,
    /postgres(ql)?:\/\//,
  ])
    expect(page.match(secret)?.[0]).toBeUndefined();
});

function serve(port: number): { readonly server: ChildProcess; readonly ended: Promise<unknown> } {
  const server = spawn(process.execPath, ['--import', 'tsx', 'src/server.ts'], {
    cwd: folder,
    env: {
      ...process.env,
      PORT: String(port),
      DATABASE_URL: database.adminUrl,
      SLUICE_DATABASE_URL: database.url,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { server, ended: once(server, 'exit') };
}

/** Until the application has printed that it listens. @throws when it ends before */
async function listening(server: ChildProcess): Promise<void> {
  let printed = '';
  const said = new Promise<void>((resolve, reject) => {
    server.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes('listening')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`the application ended with ${code}: ${printed}`)));
  });
  await said;
}
