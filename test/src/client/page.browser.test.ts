import { createRequire } from 'node:module';
import { join } from 'node:path';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Client, createClient, LiveView } from '@sluice/client';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleForBrowser } from '../kit/bundle.js';
import { launchChromium } from '../kit/chromium.js';
import { servePage, type PageServer } from '../kit/page-server.js';
import { Product } from '../kit/product.js';

const SETUP = `
  CREATE TABLE issue (id integer PRIMARY KEY, project_id integer NOT NULL, title text NOT NULL, points bigint);
  INSERT INTO issue SELECT i, i % 2, 'issue ' || i, 9007199254740993 FROM generate_series(1, 6) i`;

/** What the page's script keeps on its window. */
interface Screen {
  createClient: typeof createClient;
  client: Client;
  live: LiveView;
  statuses: string[];
}

let database: TestDatabase;
let product: Product;
let pages: PageServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-page-'));
  const entry = createRequire(import.meta.url).resolve('@sluice/client');
  pages = await servePage({
    '/client.js': await bundleForBrowser(entry),
    '/page.js': `import { createClient } from '/client.js'; Object.assign(globalThis, { createClient });`,
  });
  product = await Product.start({
    databaseUrl: database.url,
    log: join(folder, 'server.log'),
    args: ['--allowed-origins', pages.origin],
  });
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(pages.origin);
});

afterAll(async () => {
  await browser?.close();
  await product?.stop();
  await pages?.stop();
  await database?.drop();
});

/** Waits until a line that the page prints of its screen is this one. */
async function shows(line: string): Promise<void> {
  await page
    .waitForFunction(
      (expected) => {
        const { live } = globalThis as unknown as Screen;
        return `${live.status}: ${live.rows.map((row) => String(row['title'])).join(', ')}` === expected;
      },
      line,
      { timeout: PATIENCE_MS, polling: 20 },
    )
    .catch(async () => expect(await screen()).toBe(line));
}

function screen(): Promise<string> {
  return page.evaluate(() => {
    const { live } = globalThis as unknown as Screen;
    return `${live.status}: ${live.rows.map((row) => String(row['title'])).join(', ')}`;
  });
}

test('a page shows what Postgres answers, through writes and a restart of the server', async () => {
  await page.evaluate((url) => {
    const screen = globalThis as unknown as Screen;
    const { client } = screen.createClient({ url, backoff: { maxMs: 200 } });
    const sql = 'SELECT id, title, points FROM issue WHERE project_id = $1 ORDER BY id LIMIT 3';
    const live = client.live({ sql, params: [1] });
    Object.assign(screen, { client, live, statuses: [] });
    live.subscribe(() => screen.statuses.push(live.status));
  }, `http://127.0.0.1:${product.port}`);
  await shows('current: issue 1, issue 3, issue 5');
  expect(await page.evaluate(() => String((globalThis as unknown as Screen).live.rows[0]?.['points']))).toBe(
    '9007199254740993',
  );

  await database.sql(`BEGIN; UPDATE issue SET project_id = 0 WHERE id = 3;
    INSERT INTO issue VALUES (0, 1, 'issue 0'); COMMIT`);
  await shows('current: issue 0, issue 1, issue 5');

  await product.kill();
  await shows('stale: issue 0, issue 1, issue 5');
  await database.sql(`UPDATE issue SET title = 'meanwhile' WHERE id = 5`);
  await product.start();
  await shows('current: issue 0, issue 1, meanwhile');
  expect(await page.evaluate(() => (globalThis as unknown as Screen).statuses.includes('loading'))).toBe(
    false,
  );
});

test('what replaces it, and what goes away', async () => {
  await page.evaluate(() => {
    const { live } = globalThis as unknown as Screen;
    live.replace({ sql: 'SELECT count(*)::text AS title FROM issue' });
  });
  await shows('current: 7');
  await database.sql('DELETE FROM issue WHERE id > 4');
  await shows('current: 5');
  await page.evaluate(() => (globalThis as unknown as Screen).client.close());
  expect(await screen()).toContain('error');
});
