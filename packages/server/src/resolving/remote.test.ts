import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { RemoteQueries, signed, type RemoteParts } from './remote.js';

const call = { name: 'issues', args: { project: 7 }, ctx: { role: 'someone', claims: {} } };
const remote = {
  url: 'http://127.0.0.1/',
  secret: 'whsec_c2VjcmV0',
  timeoutMs: 1000,
  bytesMax: 100,
  concurrency: 2,
  queueMax: 3,
};
const resolve = (parts: RemoteParts): Promise<unknown> => new RemoteQueries(remote, parts).resolve(call);

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
  expect(await resolve(answering(() => response))).toEqual(expected);
});

test.each([
  [new Response(' '.repeat(101)), 'resolver_answer_invalid', 'issues: longer than 100 bytes'],
  [new Response('<html>'), 'resolver_answer_invalid', 'issues: not JSON'],
  [new Response('{"detail": "no"}', { status: 422 }), 'query_args_invalid', 'issues: no'],
  [
    new Response('{"detail": [{"input": "canary"}]}', { status: 422 }),
    'query_args_invalid',
    'issues: the resolver says so',
  ],
  [new Response('canary', { status: 403 }), 'resolver_refused', 'issues: status 403'],
  [
    new Response(null, { status: 302, headers: { location: '/canary' } }),
    'resolver_refused',
    'issues: status 302',
  ],
  [new Response('canary', { status: 429 }), 'resolver_failed', 'issues: status 429'],
  [new Response('x'.repeat(101), { status: 500 }), 'resolver_failed', 'issues: status 500'],
  [new Response('x'.repeat(101), { status: 422 }), 'query_args_invalid', 'issues: the resolver says so'],
  [new Response('canary', { status: 502 }), 'resolver_failed', 'issues: status 502'],
])('%s fails with %s', async (response, code, detail) => {
  await expect(resolve(answering(() => response))).rejects.toMatchObject({ code, detail });
});

test('no connection', async () => {
  const parts = { nowMs: () => 0, fetch: () => Promise.reject(new TypeError('fetch failed')) };
  await expect(resolve(parts)).rejects.toMatchObject({
    code: 'resolver_unreachable',
    retry: true,
  });
});

test('of several secrets, each signs', () => {
  const secrets = ['the old one of both', 'the new one of both'];
  const both = signed('{}', secrets, 0);
  const content = `${both['webhook-id']}.0.{}`;
  const macs = secrets.map((one) => `v1,${createHmac('sha256', one).update(content).digest('base64')}`);
  expect(both['webhook-signature']).toBe(macs.join(' '));
});

/** Requests that are answered by hand. */
function scripted() {
  const answers: (() => void)[] = [];
  const bodies: { args: { n: number }; ctx: { claims: { sub: string } } }[] = [];
  const parts: RemoteParts = {
    nowMs: () => 0,
    fetch: (_, init) => {
      const body = JSON.parse(String(init?.body)) as (typeof bodies)[number];
      bodies.push(body);
      return new Promise((done) =>
        answers.push(() => done(new Response(JSON.stringify({ sql: body.ctx.claims.sub })))),
      );
    },
  };
  return { answers, bodies, queries: new RemoteQueries(remote, parts) };
}

const asked = (n: number, sub: string) => ({
  name: 'issues',
  args: { n },
  ctx: { role: 'someone', claims: { sub } },
});
const settled = () => new Promise((done) => setImmediate(done));

test('equal calls of one user share a request; those of another never do', async () => {
  const { answers, bodies, queries } = scripted();
  const given = [asked(1, 'ada'), asked(1, 'bob'), asked(1, 'ada')].map((one) => queries.resolve(one));
  expect(bodies.map(({ ctx }) => ctx.claims.sub)).toEqual(['ada', 'bob']);
  for (const answer of answers) answer();
  expect(await Promise.all(given)).toEqual([{ sql: 'ada' }, { sql: 'bob' }, { sql: 'ada' }]);
  // What was answered is not kept: the next call asks again.
  void queries.resolve(asked(1, 'ada'));
  expect(bodies).toHaveLength(3);
});

test('so many requests at a time, so many that wait, and the rest is told to come back', async () => {
  const { answers, bodies, queries } = scripted();
  const given = [1, 2, 3, 4, 5].map((n) => queries.resolve(asked(n, 'ada')));
  await expect(queries.resolve(asked(6, 'ada'))).rejects.toMatchObject({
    code: 'resolver_busy',
    retry: true,
  });
  expect(bodies.map(({ args }) => args.n)).toEqual([1, 2]);
  answers[1]?.();
  await given[1];
  await settled();
  expect(bodies.map(({ args }) => args.n)).toEqual([1, 2, 3]);
  for (let next = 0; next < answers.length; next++) {
    answers[next]?.();
    await settled();
  }
  expect(await Promise.all(given)).toHaveLength(5);
});

test('a request that fails is not shared with those that come after', async () => {
  let fails = true;
  const queries = new RemoteQueries(remote, {
    nowMs: () => 0,
    fetch: () =>
      fails ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(new Response('null')),
  });
  await expect(queries.resolve(call)).rejects.toMatchObject({ code: 'resolver_unreachable' });
  fails = false;
  expect(await queries.resolve(call)).toBeNull();
});
