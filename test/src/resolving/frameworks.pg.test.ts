import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@sluice/client';
import { createSluice, type Sluice } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

// The recipes of docs/queries.md: Sluice in the server of an application, beside its own routes.

let database: TestDatabase;
let sluice: Sluice<unknown>;
let stop: (() => Promise<unknown> | void) | null = null;

beforeAll(async () => {
  database = await sharedDatabase(`CREATE TABLE issue (id int PRIMARY KEY, title text);
    INSERT INTO issue VALUES (1, 'First');`);
});

afterEach(async () => {
  await sluice.stop();
  await stop?.();
});

afterAll(() => database.drop());

async function start(): Promise<void> {
  const queries = { issues: { sql: 'SELECT id, title FROM issue ORDER BY id' } };
  sluice = createSluice({ database: database.url, logLevel: 'silent', graceMs: 0, queries });
  await sluice.start();
}

async function listening(server: Server): Promise<string> {
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The application's own route, our HTTP, and a live view over a WebSocket. */
async function works(url: string): Promise<void> {
  expect(await (await fetch(`${url}/hello`)).text()).toBe('hello');
  expect((await fetch(`${url}/sluice/readyz`)).status).toBe(200);
  const { client } = createClient({ url });
  const live = client.live({ query: 'issues' });
  await live.ready;
  expect(live.rows).toEqual([{ id: 1, title: 'First' }]);
  client.close();
}

describe('attach', () => {
  test('Hono', async () => {
    await start();
    const app = new Hono();
    app.get('/hello', (context) => context.text('hello'));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
    stop = () => void server.close();
    sluice.attach(server);
    await works(await listening(server as Server));
  });

  test('Express', async () => {
    await start();
    const app = express();
    app.get('/hello', (_, response) => void response.send('hello'));
    const server = app.listen(0, '127.0.0.1');
    stop = () => void server.close();
    sluice.attach(server);
    await works(await listening(server));
  });

  test('Fastify', async () => {
    await start();
    const app = fastify();
    app.get('/hello', () => 'hello');
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    stop = () => app.close();
    sluice.attach(app.server);
    await works(url);
  });
});

/** Without a WebSocket: subscribe, then the first event of the stream. */
async function streams(url: string): Promise<void> {
  const body = JSON.stringify({ query: 'issues' });
  const answer = await fetch(`${url}/sluice/subscribe`, { method: 'POST', body });
  expect(answer.status).toBe(200);
  const { subscription_id: id } = (await answer.json()) as { subscription_id: string };
  const leave = new AbortController();
  const events = await fetch(`${url}/sluice/subscriptions/${id}/events`, { signal: leave.signal });
  expect(events.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of events.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes('"rows":[{"id":1,"title":"First"}]')) break;
  }
  leave.abort();
  expect(text).toContain('event: rows');
}

describe('handler', () => {
  test('Hono: as Fetch', async () => {
    await start();
    const app = new Hono();
    app.get('/hello', (context) => context.text('hello'));
    app.all('/sluice/*', (context) => sluice.handler(context.req.raw));
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    stop = () => {
      server.closeAllConnections();
      server.close();
    };
    const url = await listening(server);
    expect(await (await fetch(`${url}/hello`)).text()).toBe('hello');
    await streams(url);
  });

  test('Express: as a middleware', async () => {
    await start();
    const app = express();
    app.use(sluice.handler);
    app.get('/hello', (_, response) => void response.send('hello'));
    const server = app.listen(0, '127.0.0.1');
    stop = () => {
      server.closeAllConnections();
      server.close();
    };
    const url = await listening(server);
    expect(await (await fetch(`${url}/hello`)).text()).toBe('hello');
    await streams(url);
  });

  test('a route handler, as Next.js calls one', async () => {
    await start();
    stop = null;
    const { GET, POST } = { GET: sluice.handler, POST: sluice.handler };
    const at = 'http://127.0.0.1/sluice';
    const made = await POST(new Request(`${at}/subscribe`, { method: 'POST', body: '{"query": "issues"}' }));
    expect(made.status).toBe(200);
    const { subscription_id: id } = (await made.json()) as { subscription_id: string };
    const events = await GET(new Request(`${at}/subscriptions/${id}/events`));
    const reader = events.body?.getReader();
    let text = '';
    while (!text.includes('event: rows')) {
      const part = await reader?.read();
      expect(part?.done).toBe(false);
      text += new TextDecoder().decode(part?.value);
    }
    await reader?.cancel();
    expect((await GET(new Request('http://127.0.0.1/elsewhere'))).status).toBe(404);
  });
});
