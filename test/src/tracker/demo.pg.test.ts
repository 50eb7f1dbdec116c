import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, expect, inject, test } from 'vitest';
import type {} from '@sluice/server/testing/global-setup';
import { withClient } from '@sluice/server/testing/postgres';
import { DemoProcess } from './demo-process.js';

const server = `postgres://postgres@127.0.0.1:${inject('postgresPort')}/postgres`;

afterAll(() =>
  withClient(server, async (client) => {
    await client.query('DROP DATABASE IF EXISTS sluice_tracker WITH (FORCE)');
  }),
);

test('a server that is given is used, and what is created on it is said', async () => {
  const first = await DemoProcess.start({ PORT: '0', TRACKER_ISSUES: '300', DATABASE_URL: server });
  try {
    expect(first.output).toContain('Created on your server: database sluice_tracker');
    expect(first.output).toContain('Created on your server: publication sluice in sluice_tracker');
    const page = await fetch(first.url);
    expect(await page.text()).toContain('<title>Tracker</title>');
    const made = await withClient(first.databaseUrl, (client) =>
      client.query('SELECT count(*)::int AS n FROM issue'),
    );
    expect(made.rows).toEqual([{ n: 300 }]);
  } finally {
    await first.stop();
  }
  expect(first.exitCode).toBe(0);
  const slots = `SELECT FROM pg_replication_slots WHERE database = 'sluice_tracker'`;
  await expect.poll(async () => (await withClient(server, (client) => client.query(slots))).rowCount).toBe(0);

  const second = await DemoProcess.start({ PORT: '0', TRACKER_ISSUES: '300', DATABASE_URL: server });
  try {
    expect(second.output).not.toContain('Created');
    await onlyThisMachine(second.url);
  } finally {
    await second.stop();
  }
});

/** The routes that run SQL are for the page itself. */
async function onlyThisMachine(url: string): Promise<void> {
  const ask = (headers: Record<string, string>): Promise<number> =>
    fetch(`${url}/demo/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ sql: 'SELECT 1' }),
    }).then(({ status }) => status);
  expect(await ask({})).toBe(200);
  expect(await ask({ origin: url })).toBe(200);
  expect(await ask({ origin: 'https://elsewhere.example' })).toBe(403);
  // A name of somebody else's that leads to this machine.
  const rebound = request(`${url}/demo/state`, { headers: { host: 'elsewhere.example' } });
  rebound.end();
  const [response] = (await once(rebound, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(403);
  response.resume();
  expect(new URL(url).hostname).toBe('127.0.0.1');
}

test('a port that is taken is said, with a way out', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const demo = await DemoProcess.start({ PORT: String(port), DATABASE_URL: server });
  await demo.stop();
  other.close();
  expect(demo.exitCode).toBe(1);
  expect(demo.output).toContain(`Port ${port} is in use`);
  expect(demo.output).toContain(`PORT=${port + 1} npm run demo`);
});

test('a database that cannot be reached is said without its password', async () => {
  const demo = await DemoProcess.start({
    PORT: '0',
    DATABASE_URL: 'postgres://me:secret-word@127.0.0.1:1/x',
  });
  await demo.stop();
  expect(demo.exitCode).toBe(1);
  expect(demo.output).toContain('[database_unreachable]');
  expect(demo.output).toContain('127.0.0.1:1/x: ECONNREFUSED');
  expect(demo.output).toContain('unset DATABASE_URL');
  expect(demo.output).not.toContain('secret-word');
});

test('a server that cannot do it is told before anything is made on it', async () => {
  await withClient(server, (client) => client.query('CREATE ROLE demo_guest LOGIN'));
  try {
    const guest = server.replace('postgres@', 'demo_guest@');
    const demo = await DemoProcess.start({ PORT: '0', TRACKER_ISSUES: '300', DATABASE_URL: guest });
    await demo.stop();
    expect(demo.exitCode).toBe(1);
    expect(demo.output).toContain('ALTER ROLE … CREATEDB CREATEROLE');
    expect(demo.output).toContain('ALTER ROLE … REPLICATION');
    expect(demo.output).not.toContain('Making up');
  } finally {
    await withClient(server, (client) => client.query('DROP ROLE demo_guest'));
  }
});

test('what is no URL is said', async () => {
  const demo = await DemoProcess.start({ PORT: '0', DATABASE_URL: 'not a url' });
  await demo.stop();
  expect(demo.output).toContain('[database_url_invalid]');
});
