import { createClient, type LiveView } from '@sluice/client';
import { startTestPostgres } from '@sluice/server/testing/postgres';
import { expect, test } from 'vitest';
import { localeArguments } from '../corpora/locale.js';
import { DemoProcess } from './demo-process.js';
import { QUERIES } from './every-query.js';

// What the tracker shows is maintained, not asked for again: all of its queries, with all that its filters make of them.

test('every query of the tracker is incremental', async () => {
  await expectIncremental({});
});

test('and where texts stand in the order of a language', async () => {
  const server = await startTestPostgres({ initdb: localeArguments('icu:en-US') });
  try {
    await expectIncremental({ DATABASE_URL: server.url() });
  } finally {
    await server.destroy();
  }
});

async function expectIncremental(environment: Readonly<Record<string, string>>): Promise<void> {
  const demo = await DemoProcess.start({ ...environment, PORT: '0', TRACKER_ISSUES: '300' });
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
    await demo.stop();
  }
}
