import { createRequire } from 'node:module';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import type pg from 'pg';
import type { Page } from 'playwright-core';
import type { Client } from '@sluice/client';

/** What the tracker's page and these tests keep on its window. */
export interface TrackerWindow {
  readonly sluice: Client;
  /** When a text came into the list, in milliseconds since 1970. */
  seen: Record<string, number>;
  /** What was to be seen since the page is watched, however briefly. */
  states: ScreenState[];
  axe?: { run(options: unknown): Promise<{ violations: readonly Violation[] }> };
}

export interface ScreenState {
  readonly connection: string | undefined;
  readonly list: string | undefined;
  readonly rows: number;
}

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds that keeps somebody from using the page. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  if (await page.evaluate(() => (globalThis as unknown as TrackerWindow).axe === undefined))
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core/axe.min.js') });
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as TrackerWindow;
    return (await axe?.run({ resultTypes: ['violations'] }))?.violations ?? null;
  });
  if (violations === null) throw new Error('axe is not there');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
    );
}

/** Notes when each title that begins with `probe` comes into the list. */
export async function watchProbes(page: Page): Promise<void> {
  await page.evaluate(() => {
    const screen = globalThis as unknown as TrackerWindow;
    screen.seen = {};
    const look = (): void => {
      for (const { textContent: text } of document.querySelectorAll('.row-title'))
        if (text?.startsWith('probe') === true) screen.seen[text] ??= Date.now();
    };
    const list = document.querySelector('.list');
    if (list === null) throw new Error('no list');
    new MutationObserver(look).observe(list, { subtree: true, childList: true, characterData: true });
  });
}

export async function whenSeen(page: Page, probe: string): Promise<number> {
  const handle = await page.waitForFunction(
    (text) => (globalThis as unknown as TrackerWindow).seen[text],
    probe,
    { polling: 'raf', timeout: PATIENCE_MS },
  );
  return Number(await handle.jsonValue());
}

/** Notes how the connection and the list stand, at each change. */
export async function watchStates(page: Page): Promise<void> {
  await page.evaluate(() => {
    const screen = globalThis as unknown as TrackerWindow;
    const statusOf = (selector: string): string | undefined =>
      document.querySelector<HTMLElement>(selector)?.dataset['status'];
    screen.states = [];
    const look = (): void =>
      void screen.states.push({
        connection: statusOf('.connection'),
        list: statusOf('.list'),
        rows: document.querySelectorAll('.row').length,
      });
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
}

/** What the same way takes without Sluice: a statement, and a frame of the page. It says how busy the machine is. */
export async function bareMs(page: Page, sql: pg.Client): Promise<number> {
  const begunMs = performance.now();
  await sql.query('SELECT 1');
  await page.evaluate(() => new Promise<number>((resolve) => requestAnimationFrame(resolve)));
  return performance.now() - begunMs;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** How much the page has moved by itself since it was opened. */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += Number(Reflect.get(entry, 'value'));
        });
        observer.observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
      }),
  );
}

export function firstPaintMs(page: Page): Promise<number> {
  return page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
  );
}
