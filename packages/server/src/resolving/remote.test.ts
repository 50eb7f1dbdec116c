import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { resolveRemotely, signed } from './remote.js';

const call = { name: 'issues', args: { project: 7 }, ctx: { role: 'someone', claims: {} } };
const remote = { url: 'http://127.0.0.1/', secret: 'whsec_c2VjcmV0', timeoutMs: 1000, bytesMax: 100 };

const answering = (response: () => Response) => ({
  nowMs: () => 0,
  fetch: () => Promise.resolve(response()),
});

test('a request is signed as Standard Webhooks has it', () => {
  const headers = signed('{}', remote.secret, 1_700_000_000_999);
  expect(headers['webhook-timestamp']).toBe('1700000000');
  const content = `${headers['webhook-id']}.1700000000.{}`;
  expect(headers['webhook-signature']).toBe(
    `v1,${createHmac('sha256', 'secret').update(content).digest('base64')}`,
  );
});

test.each([
  [new Response('null'), null],
  [new Response('', { status: 404 }), null],
  [new Response('{"sql": "SELECT 1"}'), { sql: 'SELECT 1' }],
])('an answer is read', async (response, expected) => {
  expect(
    await resolveRemotely(
      remote,
      answering(() => response),
      call,
    ),
  ).toEqual(expected);
});

test.each([
  [new Response(' '.repeat(101)), 'resolver_answer_invalid', 'longer than 100 bytes'],
  [new Response('<html>'), 'resolver_answer_invalid', 'issues: not JSON'],
  [new Response('{"detail": "no"}', { status: 422 }), 'query_args_invalid', 'issues: no'],
  [
    new Response('{"detail": [{"input": "canary"}]}', { status: 422 }),
    'query_args_invalid',
    'issues: the resolver says so',
  ],
  [new Response('canary', { status: 403 }), 'resolver_refused', 'issues: status 403'],
  [new Response('canary', { status: 502 }), 'resolver_failed', 'issues: status 502'],
])('%s fails with %s', async (response, code, detail) => {
  await expect(
    resolveRemotely(
      remote,
      answering(() => response),
      call,
    ),
  ).rejects.toMatchObject({ code, detail });
});

test('no connection', async () => {
  const parts = { nowMs: () => 0, fetch: () => Promise.reject(new TypeError('fetch failed')) };
  await expect(resolveRemotely(remote, parts, call)).rejects.toMatchObject({
    code: 'resolver_unreachable',
    retry: true,
  });
});
