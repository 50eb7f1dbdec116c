import { createClient, type LiveView } from '@sluice/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoProcess } from './demo-process.js';
import { QUERIES } from './every-query.js';

// What the tracker shows is maintained, not asked for again: all of its queries, with all that its filters make of them.

let demo: DemoProcess;
beforeAll(async () => {
  demo = await DemoProcess.start({ PORT: '0', TRACKER_ISSUES: '300' });
});
afterAll(() => demo.stop());

test('every query of the tracker is incremental', async () => {
  const { client } = createClient({ url: demo.url });
  try {
    const views = QUERIES.map(([query, args]): [string, LiveView] => [
      `${query} ${JSON.stringify(args)}`,
      client.live({ query, args }),
    ]);
    await Promise.all(views.map(([, view]) => view.ready));
    const gears = views.map(([name, { gear, reason }]) => `${name}: ${gear} ${reason ?? ''}`.trim());
    expect(gears).toEqual(views.map(([name]) => `${name}: incremental`));
    expect(views.some(([, view]) => view.rows.length === 50)).toBe(true);
  } finally {
    client.close();
  }
});
