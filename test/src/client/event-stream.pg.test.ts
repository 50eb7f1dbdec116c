import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createSluice, type Sluice } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { eventsOf as events, type StreamEvent as Told } from '../kit/event-stream.js';
import { TcpProxy } from '../kit/tcp-proxy.js';

// Event streams when their server stops: told so, and taken up by the next one without going back.

const SETUP = `CREATE TABLE issue (id int PRIMARY KEY, title text); INSERT INTO issue VALUES (1, 'one')`;
const QUERY = 'SELECT id, title FROM issue ORDER BY id';
const PYTHON = fileURLToPath(new URL('../../python/sse_client.py', import.meta.url));

async function startServer(databaseUrl: string): Promise<{ readonly sluice: Sluice; readonly url: string }> {
  const sluice = createSluice({ database: databaseUrl, allowSql: true, port: 0, logLevel: 'silent' });
  return { sluice, url: await sluice.listen() };
}

async function subscribe(url: string): Promise<string> {
  const answer = await fetch(`${url}/subscribe`, { method: 'POST', body: JSON.stringify({ sql: QUERY }) });
  return ((await answer.json()) as { subscription_id: string }).subscription_id;
}

test('the next server does not know the subscription, says so, and takes the client up at its position', async () => {
  const database = await sharedDatabase(SETUP);
  const [first, second] = [await startServer(database.url), await startServer(database.url)];
  const id = await subscribe(first.url);
  const stream = events(`${first.url}/subscriptions/${id}/events`);
  expect((await stream.next()).value).toMatchObject({ event: 'rows' });
  await database.sql(`INSERT INTO issue VALUES (2, 'two')`);
  const seen = (await stream.next()).value as Told;
  const stopped = first.sluice.stop();
  expect((await stream.next()).value).toMatchObject({ event: 'goaway', data: { afterMs: 0 } });
  expect((await stream.next()).done).toBe(true);
  await stopped;

  const unknown = await fetch(`${second.url}/subscriptions/${id}/events`);
  expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { code: 'stream_unknown' } }]);
  const again = await subscribe(second.url);
  const position = encodeURIComponent(seen.id);
  const resumed = events(`${second.url}/subscriptions/${again}/events?position=${position}`);
  const next = (await resumed.next()).value as Told;
  expect(next.data['rows']).toEqual(seen.data['rows']);
  expect(lsnOf(next.id)).toBeGreaterThanOrEqual(lsnOf(seen.id));
  await second.sluice.stop();
  await database.drop();
});

test.runIf(spawnSync('python3', ['--version']).status === 0)(
  'the Python client goes on at the server that its URL leads to',
  async () => {
    const database = await sharedDatabase(SETUP);
    const first = await startServer(database.url);
    let upstream = Number(new URL(first.url).port);
    const proxy = await TcpProxy.listen(() => ({ host: '127.0.0.1', port: upstream }));
    const child = spawn('python3', [PYTHON, `http://127.0.0.1:${proxy.port}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(JSON.stringify([{ sql: QUERY, params: [] }]));
    const positions: bigint[] = [];
    let rows: unknown = null;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { position, views } = JSON.parse(line) as { position: string; views: { rows?: unknown }[] };
      positions.push(lsnOf(position));
      rows = views[0]?.rows ?? rows;
    });
    const shows = (...titles: string[]): Promise<void> =>
      expect.poll(() => rows).toEqual(titles.map((title, index) => [String(index + 1), title]));
    await shows('one');

    const second = await startServer(database.url);
    upstream = Number(new URL(second.url).port);
    await first.sluice.stop();
    await database.sql(`INSERT INTO issue VALUES (2, 'two')`);
    await shows('one', 'two');
    expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : Number(a > b))));
    child.kill('SIGTERM');
    await second.sluice.stop();
    await proxy.close();
    await database.drop();
  },
);

function lsnOf(position: string): bigint {
  const [high = '', low = ''] = position.slice(position.indexOf(':') + 1).split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
