import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import type { Client } from '@sluice/client';

/** What the tracker's page and these tests keep on its window. */
export interface TrackerWindow {
  readonly sluice: Client;
  /** When a text came into the list, in milliseconds since 1970. */
  seen: Record<string, number>;
  axe?: { run(options: unknown): Promise<{ violations: readonly Violation[] }> };
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
    { polling: 'raf', timeout: 20_000 },
  );
  return Number(await handle.jsonValue());
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
