import { expect, test } from 'vitest';
import { Auth, principalKey, type AuthHook } from './auth.js';

// What is known of who asks stays what it was, and is shared with nobody else.

const check = (hook: unknown) =>
  new Auth({ hook: hook as AuthHook, defaultRole: 'someone', timeoutMs: 1000, nowMs: () => 0 }).check({
    headers: {},
    url: '/',
  });

test('claims are what JSON makes of them, and cannot be changed by anybody', async () => {
  const kept = { role: 'admin', claims: { at: new Date(0), teams: [{ id: 1 }], none: undefined } };
  const { principal } = await check(() => kept);
  kept.claims.teams.push({ id: 2 });
  kept.role = 'nobody';
  expect(principal).toEqual({
    role: 'admin',
    claims: { at: '1970-01-01T00:00:00.000Z', teams: [{ id: 1 }] },
  });
  const { claims } = principal as unknown as { claims: { sub?: string; teams: object[] } };
  expect(() => (claims.sub = 'root')).toThrow(TypeError);
  expect(() => claims.teams.push({})).toThrow(TypeError);
  expect(() => Object.assign(principal, { role: 'postgres' })).toThrow(TypeError);
});

test('those whose claims differ in anything share nothing', async () => {
  const several = [
    {},
    { a: 1 },
    { a: '1' },
    { a: { b: 1 } },
    { a: [['b', 1]] },
    { a: ['b', 1] },
    { a: null },
    { at: new Date(0) },
    { at: new Date(1) },
    JSON.parse('{"__proto__": {"a": 1}}'),
  ];
  const keys = await Promise.all(
    several.map(async (claims: unknown) => principalKey((await check(() => ({ claims }))).principal)),
  );
  expect(new Set(keys).size).toBe(several.length);
});
