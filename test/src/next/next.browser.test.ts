import { readdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { freePort } from '@sluice/server/embedded/embedded-postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { launchChromium } from '../kit/chromium.js';
import { NextApplication } from './application.js';

// The recipe for Next.js, block by block as it stands in docs/queries.md, on the Next.js of today. It weighs too much
// for every run of the suite: `npm run test:next`.

const SETUP = `
  CREATE TABLE task (
    id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, project_id int NOT NULL, title text NOT NULL,
    done boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now());
  INSERT INTO task (project_id, title) VALUES (1, 'Sow beans'), (1, 'Prune roses'), (2, 'Mend the roof')`;

const COMPILE_TIMEOUT_MS = 120_000;
const TEST_TIMEOUT_MS = 300_000;

let database: TestDatabase;
let application: NextApplication;
let browser: Browser;
let port: number;
let origin: string;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  port = await freePort();
  origin = `http://localhost:${port}`;
  application = await NextApplication.install({
    DATABASE_URL: database.adminUrl,
    SLUICE_DATABASE_URL: database.url,
    SLUICE_PORT: String(await freePort()),
    ORIGIN: origin,
  });
  browser = await launchChromium();
}, TEST_TIMEOUT_MS);

afterAll(async () => {
  await browser?.close();
  await application?.remove();
  await database?.drop();
});

/** A page, and everything that it complains of. */
async function open(): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 480, height: 320 } });
  onTestFinished(() => page.close());
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  // In development a page is compiled when it is asked for.
  page.setDefaultTimeout(COMPILE_TIMEOUT_MS);
  await page.goto(origin, { timeout: COMPILE_TIMEOUT_MS });
  return { page, problems };
}

const shows = (page: Page, line: string): Promise<void> =>
  page.getByRole('listitem').filter({ hasText: line }).waitFor();

/** The page as the server renders it. */
function html(): Promise<string> {
  return new Promise((resolve, reject) => {
    get(origin, (response) => text(response).then(resolve, reject)).on('error', reject);
  });
}

test(
  'the recipe applies to an application that is there, and compiles',
  async () => {
    expect(await application.npm('run', '-s', 'typecheck')).toBe('');
    expect(await application.apply()).toBeGreaterThan(6);
    await application.npm('run', 'build');
    console.log(`Next.js ${await application.version()}`);
    const file = join(application.folder, 'app', 'tasks.tsx');
    const code = await readFile(file, 'utf8');
    await writeFile(file, code.replace('tasksOf({ project })', "tasksOf({ project: 'x' })"));
    const complaint = await application
      .npm('run', '-s', 'typecheck')
      .catch((error: { stdout: string }) => error.stdout);
    expect(complaint).toMatch(/TS2322.*'string' is not assignable to type 'number'/);
    await writeFile(file, code);
  },
  2 * TEST_TIMEOUT_MS,
);

test(
  'next start: the first rows are in the HTML, and follow the database from there',
  async () => {
    let server = await application.serve('next start', port);
    onTestFinished(() => server.stop());
    expect((await html()).replaceAll('<!-- -->', '')).toContain('<li>☐ Sow beans</li><li>☐ Prune roses</li>');
    const { page, problems } = await open();
    await shows(page, '☐ Sow beans');
    await database.sql(`UPDATE task SET done = true WHERE title = 'Sow beans'`);
    await shows(page, '☑ Sow beans');
    await database.sql(`INSERT INTO task (project_id, title) VALUES (1, 'Water the beans')`);
    await shows(page, '☐ Water the beans');
    expect(await page.getByRole('listitem').allTextContents()).toEqual([
      '☑ Sow beans',
      '☐ Prune roses',
      '☐ Water the beans',
    ]);
    const picture = process.env['SLUICE_SCREENSHOTS'];
    if (picture !== undefined) await page.screenshot({ path: join(picture, 'next.png') });
    expect(problems).toEqual([]);
    expect(server.printed).not.toMatch(/⨯|Error/);

    // The page stays when the server is replaced, as it does when a new version is put in place.
    await server.stop();
    await database.sql(`DELETE FROM task WHERE title = 'Prune roses'`);
    server = await application.serve('next start', port);
    await page.getByRole('listitem').filter({ hasText: 'Prune roses' }).waitFor({ state: 'detached' });
    await server.stop();
    await vi.waitFor(async () => {
      const { rows } = await database.sql(
        'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()',
      );
      expect(rows).toEqual([]);
    }, 10_000);
  },
  TEST_TIMEOUT_MS,
);

test(
  'next dev: code that is replaced keeps its rows',
  async () => {
    const server = await application.serve('next dev', port);
    onTestFinished(() => server.stop());
    const { page, problems } = await open();
    await shows(page, '☑ Sow beans');
    await database.sql(`INSERT INTO task (project_id, title) VALUES (1, 'Weed')`);
    await shows(page, '☐ Weed');
    await page.evaluate(() => Object.assign(globalThis, { loadedOnce: true }));
    const file = join(application.folder, 'app', 'tasks.tsx');
    const code = await readFile(file, 'utf8');
    await writeFile(file, code.replace('<h1>Tasks</h1>', '<h1>What to do</h1>'));
    await page.getByRole('heading', { name: 'What to do' }).waitFor();
    await database.sql(`UPDATE task SET done = true WHERE title = 'Weed'`);
    await shows(page, '☑ Weed');
    expect(await page.evaluate(() => 'loadedOnce' in globalThis)).toBe(true);
    expect(problems).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);

test(
  'a custom server: beside the WebSocket of Next.js itself',
  async () => {
    await application.withoutPort();
    const server = await application.serve('server.ts', port);
    onTestFinished(() => server.stop());
    // It listens once Sluice is ready.
    await vi.waitFor(html, { timeout: COMPILE_TIMEOUT_MS, interval: 100 });
    const { page, problems } = await open();
    await shows(page, '☑ Sow beans');
    await database.sql(`INSERT INTO task (project_id, title) VALUES (1, 'Rest')`);
    await shows(page, '☐ Rest');
    // Of a WebSocket that could not be opened, too.
    expect(problems).toEqual([]);
  },
  TEST_TIMEOUT_MS,
);

test('nothing of the database is in what the page loads', async () => {
  const folder = join(application.folder, '.next', 'static');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js'));
  const code = (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
  expect(code).toContain('tasksOf');
  for (const secret of [/drizzle/i, /node-postgres|pg-pool/, /project_id/, /postgres(ql)?:\/\//]) {
    expect(code.match(secret)?.[0]).toBeUndefined();
  }
});
