import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { programsOf } from '../docs/runnable.js';
import { bundleForBrowser } from '../kit/bundle.js';
import { launchChromium } from '../kit/chromium.js';
import { servePage } from '../kit/page-server.js';
import { Stage } from './stage.js';

// The program of docs/react.md, as an application: compiled strictly, and in a browser with each React.

const root = join(dirname(createRequire(import.meta.url).resolve('@sluice/react')), '..', '..', '..');
const URL_OF_PAGE = 'http://localhost:4400';

let browser: Browser;
let folder: string;
let program: string;

beforeAll(async () => {
  const programs = programsOf(await readFile(join(root, 'docs', 'react.md'), 'utf8'));
  program = programs.map(({ code }) => code).join('\n');
  folder = await mkdtemp(join(root, 'test', '.docs-'));
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

async function write(name: string, code: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, code);
  return file;
}

/** @returns what the compiler says. */
async function compile(file: string): Promise<string> {
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--jsx', 'react-jsx'];
  const target = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom'];
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  return promisify(execFile)(compiler, [...options, ...target, file], { cwd: folder }).then(
    () => '',
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
  );
}

test('the page compiles; a wrong argument and a wrong column do not', async () => {
  expect(await compile(await write('right.tsx', program))).toBe('');
  const column = await compile(await write('column.tsx', program.replace('{issue.title}', '{issue.titel}')));
  expect(column).toContain("Property 'titel' does not exist");
  const argument = await compile(await write('argument.tsx', program.replace('{ id: 1 }', "{ id: 'x' }")));
  expect(argument).toContain("Type 'string' is not assignable to type 'number'");
});

const reacts = {
  '19': {},
  '18': Object.fromEntries(
    ['react', 'react-dom'].map((name) => [name, join(root, 'compat/react-18/node_modules', name)]),
  ),
};

test.each(['19', '18'] as const)('in a browser with React %s', async (major) => {
  const files: Record<string, string> = {};
  const pages = await servePage(files);
  onTestFinished(() => pages.stop());
  const stage = await Stage.open({ allowedOrigins: [pages.origin] });
  onTestFinished(() => stage.stop());
  const version = "import { version } from 'react'; Object.assign(globalThis, { version });";
  const entry = await write(`page-${major}.tsx`, `${version}\n${program.replace(URL_OF_PAGE, stage.url)}`);
  files['/page.js'] = await bundleForBrowser(entry, { alias: reacts[major], development: true });
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));

  const rowsReceived = countRows(page);
  await page.goto(pages.origin);
  const shows = (text: string): Promise<unknown> =>
    page
      .waitForFunction(
        (expected) => document.querySelector('main')?.innerText.replace(/\s+/g, ' ') === expected,
        text,
        {
          timeout: PATIENCE_MS,
          polling: 20,
        },
      )
      .catch(async () => expect((await page.innerText('main')).replace(/\s+/g, ' ')).toBe(text));

  await shows('Other issue 1 issue 2 issue 4 issue 6 50 of 200 More');
  expect(await page.evaluate(() => (globalThis as unknown as { version: string }).version)).toMatch(
    `${major}.`,
  );
  // StrictMode mounts everything twice: one hydration for each of the four queries all the same.
  expect(await stage.hydrations()).toBe(4);

  let [hydrations, rows] = [await stage.hydrations(), rowsReceived()];
  await page.getByText('More').click();
  await shows('Other issue 1 issue 2 issue 4 issue 6 100 of 200 More');
  expect([(await stage.hydrations()) - hydrations, rowsReceived() - rows]).toEqual([1, 50]);

  await stage.database.sql(
    `UPDATE issue SET title = 'new' WHERE id IN (1, 4); DELETE FROM issue WHERE id = 400`,
  );
  await shows('Other new issue 2 new issue 6 100 of 199 More');

  await page.getByText('Other').click();
  await shows('Other new new issue 3 issue 5 50 of 200 More');
  hydrations = await stage.hydrations();
  await page.getByText('Other').click();
  await shows('Other new issue 2 new issue 6 50 of 199 More');
  // Three rows and the total were kept; the first page was not since there were two.
  expect((await stage.hydrations()) - hydrations).toBe(1);
  expect(errors).toEqual([]);
});

/** Rows that the page's sockets receive, whole or as part of a difference. */
function countRows(page: Page): () => number {
  let rows = 0;
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(String(payload)) as { kind: string; rows?: readonly unknown[] };
      if (message.kind === 'rows' || message.kind === 'difference') rows += message.rows?.length ?? 0;
    }),
  );
  return () => rows;
}
