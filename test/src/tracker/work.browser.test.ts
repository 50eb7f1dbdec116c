import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '@sluice/server/testing/deadline';
import { launchChromium } from '../kit/chromium.js';
import { DemoProcess } from './demo-process.js';

// What somebody does with issues: finds, makes and changes them; and what is said when it does not work.

const ISSUES = '600';

let folder: string;
let demo: DemoProcess;
let browser: Browser;
let page: Page;
let sql: pg.Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tracker-'));
  await chmod(folder, 0o755);
  [demo, browser] = await Promise.all([
    DemoProcess.start({ PORT: '0', TRACKER_ISSUES: ISSUES, TRACKER_FOLDER: folder }),
    launchChromium(),
  ]);
  sql = new pg.Client(demo.databaseUrl);
  await sql.connect();
});

afterAll(async () => {
  await browser?.close();
  await sql?.end();
  await demo?.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(demo.url);
  await page.waitForSelector('.row');
});

afterEach(async () => {
  await page.context().close();
});

async function firstId(): Promise<number> {
  return Number(await page.getAttribute('.row:first-child', 'data-id'));
}

async function verify(): Promise<string> {
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.waitForFunction(() =>
    /equal|differ|not compared/.test(document.querySelector('.verdict')?.textContent ?? ''),
  );
  return (await page.textContent('.verdict')) ?? '';
}

/** On a busy machine the writers may have to be let in before the page has caught up. */
function verified(): Promise<void> {
  return until(async () => /^✓ \d+ equal$/.test(await verify()));
}

test('the palette: found by typing, done by Enter, left by Escape', async () => {
  const id = await firstId();
  await sql.query(`UPDATE issue SET status = 'todo' WHERE id = $1`, [id]);
  await page.waitForSelector(`[data-id="${id}"] [aria-label=Todo]`);
  await page.keyboard.press('j');
  const focused = (): Promise<string | null | undefined> =>
    page.evaluate(() => document.activeElement?.closest('.row')?.getAttribute('data-id'));
  await page.keyboard.press('Control+k');
  await page.keyboard.type('set status review');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`[data-id="${id}"] [aria-label="In Review"]`);
  expect(await focused()).toBe(String(id));

  await page.keyboard.press('Control+k');
  const options = page.locator('.palette [role=option]');
  const active = (): Promise<string | null> =>
    page.evaluate(() => {
      const named = document.activeElement?.getAttribute('aria-activedescendant') ?? '';
      return document.getElementById(named)?.textContent ?? null;
    });
  await page.keyboard.press('ArrowUp');
  expect(await active()).toBe(await options.last().textContent());
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('.list, .top, .sidebar'))).toBe(null);
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  expect(await focused()).toBe(String(id));

  await page.keyboard.press('Control+k');
  await page.keyboard.type('go checkout');
  await page.keyboard.press('Enter');
  await page.waitForURL(/project=/);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('filter status done');
  await page.keyboard.press('Enter');
  await page.waitForURL(/status=done/);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('dock');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.dock-body');
});

test('a new issue, its labels and a comment: each on the screen when its token has been reached', async () => {
  await page.keyboard.press('c');
  await page.keyboard.type('Made by hand');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.keyboard.press('c');
  expect(await page.inputValue('.new-issue [aria-label=Title]')).toBe('Made by hand');
  await page.route('**/api/issues', (route) => route.fulfill({ status: 500, body: 'no luck' }), { times: 1 });
  await page.keyboard.press('Control+Enter');
  await page.getByRole('alert').getByText('no luck').waitFor();
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('.detail-body');
  expect(await page.textContent('.detail h2')).toBe('Made by hand');
  expect(await page.textContent('.row:first-child .row-title')).toBe('Made by hand');
  const made = await sql.query<{ id: number }>(`SELECT id FROM issue WHERE title = 'Made by hand'`);
  expect(page.url()).toContain(`issue=${made.rows[0]?.id}`);
  expect(made.rows.length).toBe(1);

  await page.keyboard.press('l');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.toast[data-kind=done]:has-text("labels")');
  expect(await page.locator('.detail [data-property=labels] .tag').count()).toBe(2);
  await page.getByLabel('New comment').fill('A first word');
  await page.keyboard.press('Control+Enter');
  await page.locator('.comments li').getByText('A first word').waitFor();
  await verified();
});

test('a change that is refused is said: the server, the database, the network', async () => {
  const id = await firstId();
  await page.keyboard.press('j');
  const setStatus = async (digit: string, told: string): Promise<void> => {
    await page.keyboard.press('s');
    await page.keyboard.press(digit);
    await page.waitForSelector(`.toast[data-kind=failed]:has-text("${told}")`);
  };
  await sql.query(`ALTER TABLE issue ADD CONSTRAINT refused CHECK (status <> 'canceled') NOT VALID`);
  await setStatus('6', 'failed: the database refuses it');
  await sql.query('ALTER TABLE issue DROP CONSTRAINT refused');
  await page.context().setOffline(true);
  await setStatus('6', 'failed: the server cannot be reached');
  await page.context().setOffline(false);
  const answers = await page.evaluate(async () => {
    const send = async (method: string, path: string, body: unknown): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(path, { method, headers, body: JSON.stringify(body) })).status;
    };
    return [
      await send('PATCH', '/api/issues/2000000000', { status: 'done' }),
      await send('PATCH', '/api/issues/2000000000', {}),
      await send('PATCH', '/api/issues/99999999999', {}),
      await send('PATCH', '/api/issues/1', { assigneeId: 2_000_000_000 }),
      await send('PATCH', '/api/issues/1', { title: 'a\0b' }),
      await send('POST', '/api/issues', { title: 'x', projectId: 2_000_000_000 }),
      await send('POST', '/api/issues/2000000000/comments', { body: 'x' }),
    ];
  });
  expect(answers).toEqual([404, 404, 404, 409, 400, 400, 409]);
  const { rows } = await sql.query('SELECT status FROM issue WHERE id = $1', [id]);
  expect(rows).not.toEqual([{ status: 'canceled' }]);
});

test('issues made at once have numbers of their own', async () => {
  const many = await page.evaluate(async () => {
    const create = (): Promise<number> =>
      fetch('/api/issues', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ title: 'at once', projectId: 1 }),
      }).then(({ status }) => status);
    return Promise.all(Array.from({ length: 12 }, create));
  });
  expect(many).toEqual(Array.from({ length: 12 }, () => 201));
});

test('a query that Postgres refuses is said, Verify does not call it equal, and it comes back by itself', async () => {
  await page.keyboard.press('d');
  await page.fill('#sql', 'ALTER TABLE issue DROP COLUMN label_ids');
  await page.getByRole('button', { name: 'Run' }).click();
  await page.waitForSelector('.trouble');
  expect(await page.locator('.row').count()).toBeGreaterThan(0);
  expect(await verify()).toBe('not compared');
  await sql.query(`ALTER TABLE issue ADD COLUMN label_ids integer[] NOT NULL DEFAULT '{}'`);
  await page.waitForSelector('.trouble', { state: 'detached' });
  await page.waitForSelector('.list[data-status=current]');
  await verified();
});

test('what is read stays where it is when issues come above it, and at the top they are seen', async () => {
  const add = (title: string): Promise<unknown> =>
    sql.query(
      `INSERT INTO issue (team_id, project_id, number, title, description, status, priority, creator_id)
       SELECT 1, 1, max(number) + 1, $1, '', 'todo', 2, 1 FROM issue WHERE team_id = 1`,
      [title],
    );
  const reading = (): Promise<string> =>
    page.evaluate(() => {
      const { left, top } = document.querySelector('.list')?.getBoundingClientRect() ?? new DOMRect();
      const row = document.elementFromPoint(left + 300, top + 210)?.closest('.row');
      return `${row?.getAttribute('data-id')} at ${Math.round(row?.getBoundingClientRect().top ?? 0)}`;
    });
  await add('seen at once');
  await page.locator('.row').getByText('seen at once').waitFor();
  await page.evaluate(() => document.querySelector('.list')?.scrollTo(0, 1_210));
  await page.waitForFunction(
    () => document.querySelector('.list')?.getAttribute('data-status') === 'current',
  );
  // The rows there are rendered after the list has scrolled.
  await expect.poll(reading).toMatch(/^\d/);
  const before = await reading();
  const total = await page.textContent('[data-testid=total]');
  for (let index = 0; index < 3; index++) await add('not seen yet');
  const grown = (Number(total?.replace(/\D/g, '')) + 3).toLocaleString('en');
  await page.waitForFunction(
    (text) => document.querySelector('[data-testid=total]')?.textContent === text,
    grown,
  );
  expect(await reading()).toBe(before);
});
