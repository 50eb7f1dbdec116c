import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SluiceError } from '@sluice/core/errors';
import { afterEach, expect, test } from 'vitest';
import { RemoteQueries } from './remote.js';

// What a process on the other side of a real connection may do.

const SECRET = 'canary, a secret of both sides';
let server: Server;

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/resolve`;
}

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function queriesOf(url: string, timeoutMs: number = 5_000): RemoteQueries {
  const remote = { url, secret: SECRET, timeoutMs, bytesMax: 10_000, concurrency: 8, queueMax: 2_000 };
  return new RemoteQueries(remote, { fetch, nowMs: Date.now });
}

const call = (n: number = 0) => ({
  name: 'issues',
  args: { n },
  ctx: { role: 'someone', claims: { sub: `canary ${n}` } },
});

const LONG = 'x'.repeat(20_000);
const faults: Readonly<Record<string, readonly [RequestListener, code: string, retry: boolean]>> = {
  'resets before it answers': [(request) => request.socket.resetAndDestroy(), 'resolver_unreachable', true],
  'resets in the middle of its answer': [
    (request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"sql": "SEL', () => request.socket.resetAndDestroy());
    },
    'resolver_unreachable',
    true,
  ],
  'ends in the middle of its answer': [
    (request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"sql": "SEL', () => request.socket.end());
    },
    'resolver_unreachable',
    true,
  ],
  'says nothing': [() => undefined, 'resolver_unreachable', true],
  'begins, and says no more': [
    (_, response) => response.writeHead(200).write('{'),
    'resolver_unreachable',
    true,
  ],
  'sends elsewhere': [
    (request, response) =>
      request.url === '/resolve'
        ? response.writeHead(307, { location: '/other' }).end()
        : response.end('{"sql": "SELECT 1"}'),
    'resolver_refused',
    true,
  ],
  'answers without an end': [
    (_, response) => {
      const more = (): void => void (response.destroyed || response.write(LONG, more));
      more();
    },
    'resolver_answer_invalid',
    false,
  ],
  'fails at length': [(_, response) => response.writeHead(500).end(LONG), 'resolver_failed', true],
  'has too much to do': [(_, response) => response.writeHead(429).end(), 'resolver_failed', true],
  'answers a page': [(_, response) => response.end('<html>canary</html>'), 'resolver_answer_invalid', false],
  'answers nothing': [(_, response) => response.end(), 'resolver_answer_invalid', false],
};

test.each(Object.entries(faults))('one that %s', async (_, [listener, code, retry]) => {
  const error: unknown = await queriesOf(await serve(listener), 300)
    .resolve(call())
    .catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(SluiceError);
  expect(error).toMatchObject({ code, retry });
  expect(JSON.stringify((error as SluiceError).toWire())).not.toContain('canary');
});

test('a thousand who come back at once are asked for a few at a time, each with an answer of its own', async () => {
  let [now, most, requests] = [0, 0, 0];
  const url = await serve((request, response) => {
    most = Math.max(most, ++now);
    requests++;
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      const { ctx } = JSON.parse(Buffer.concat(body).toString()) as ReturnType<typeof call>;
      setImmediate(() => {
        now--;
        response.end(JSON.stringify({ sql: 'SELECT $1', params: [ctx.claims.sub] }));
      });
    });
  });
  const queries = queriesOf(url);
  const users = Array.from({ length: 1_000 }, (_, index) => index % 500);
  const answers = await Promise.all(users.map((user) => queries.resolve(call(user))));
  expect(answers).toEqual(users.map((user) => ({ sql: 'SELECT $1', params: [`canary ${user}`] })));
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(8);
  expect(requests).toBe(500);
});
