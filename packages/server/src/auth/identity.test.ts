import { expect, test } from 'vitest';
import { Auth, principalKey, type AuthHook, type Grant } from './auth.js';

function check(answer: unknown, told: unknown[] = []): Promise<Grant> {
  const hook = (() => answer) as AuthHook;
  const onError = (error: unknown): void => void told.push(error);
  return new Auth({ hook, defaultRole: 'client', timeoutMs: 1_000, nowMs: () => 5_000, onError }).check({
    headers: {},
    url: '/',
  });
}

const circular: { self?: unknown } = {};
circular.self = circular;

test.each([
  ['undefined', undefined, /undefined.*`return`/],
  ['true', true, /a boolean/],
  ['a text', 'ada', /a string/],
  ['a list', [], /a list/],
  ['a misspelt member', { claim: { sub: 'secret' } }, /^claim is not known/],
  ['an empty role', { role: '' }, /role/],
  ['a role that is no text', { role: 7 }, /role/],
  ['claims that are no object', { claims: 'secret' }, /claims/],
  ['claims that JSON does not have', { claims: { id: 10n } }, /bigint/],
  ['claims without an end', { claims: circular }, /itself/],
  ['a time that is none', { expiresAt: 'secret' }, /expiresAt/],
  ['a date that is none', { expiresAt: new Date(Number.NaN) }, /expiresAt/],
])('%s for an answer lets nobody in, and the reason is for the server alone', async (_, answer, reason) => {
  const told: unknown[] = [];
  const error: unknown = await check(answer, told).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'auth_answer_invalid', detail: undefined, retry: false });
  expect(told).toEqual([expect.objectContaining({ detail: expect.stringMatching(reason) as string })]);
  expect(JSON.stringify([error, told])).not.toContain('secret');
});

test('what a hook throws is told to the server, and not to the client', async () => {
  const told: unknown[] = [];
  const answer = Promise.reject(new Error('secret'));
  await expect(check(answer, told)).rejects.toMatchObject({ code: 'auth_failed', detail: undefined });
  expect(told).toEqual([new Error('secret')]);
});

test('role, claims and end of the rights may be left out', async () => {
  expect(await check({})).toEqual({ principal: { role: 'client', claims: {} }, expiresAtMs: null });
  const whole = { role: 'staff', claims: { sub: 1 }, expiresAt: 6 };
  expect(await check(whole)).toEqual({
    principal: { role: 'staff', claims: { sub: 1 } },
    expiresAtMs: 6_000,
  });
  await expect(check({ expiresAt: 5 })).rejects.toMatchObject({ code: 'token_expired' });
  await expect(check(null)).rejects.toMatchObject({ code: 'unauthorized' });
});

test('principals are the same exactly when Postgres is told the same claims', async () => {
  const key = async (claims: object): Promise<string> => principalKey((await check({ claims })).principal);
  expect(await key({ since: new Date(1) })).not.toBe(await key({ since: new Date(2) }));
  expect(await key({ since: new Date(1) })).toBe(await key({ since: new Date(1).toJSON() }));
  expect(await key({ a: 1, b: undefined })).toBe(await key({ a: 1 }));
});
