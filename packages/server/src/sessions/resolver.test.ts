import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { Resolver, RESOLVE_MS } from './resolver.js';

const principal = { role: 'someone', claims: {} };

test('a function that never answers is not waited for for ever', async () => {
  const clock = new ManualClock();
  const resolver = new Resolver({ allowSql: false, clock, resolve: () => new Promise(() => undefined) });
  const told = resolver.resolve({ query: 'issues' }, principal);
  told.catch(() => undefined);
  await Promise.resolve();
  clock.pass(RESOLVE_MS);
  await expect(told).rejects.toMatchObject({ code: 'query_timeout', retry: true });
});

test('errors and the log tell the beginning of a long name', async () => {
  const names: string[] = [];
  const failing = new Resolver({
    allowSql: false,
    resolve: () => Promise.reject(new Error('of the application')),
    onError: (name) => names.push(name),
  });
  const query = 'é'.repeat(10_240);
  const message = { kind: 'subscribe', id: 1, query } as const;
  const short = 'é'.repeat(100);
  await expect(failing.resolve(message, principal)).rejects.toMatchObject({
    code: 'query_failed',
    detail: short,
  });
  expect(names).toEqual([short]);
  const knowing = new Resolver({ allowSql: false, resolve: () => Promise.resolve(null) });
  await expect(knowing.resolve(message, principal)).rejects.toMatchObject({
    code: 'query_unknown',
    detail: short,
  });
});
