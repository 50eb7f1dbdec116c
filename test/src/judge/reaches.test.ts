import { SluiceError } from '@sluice/core/errors';
import { expect, test } from 'vitest';
import { Reaches, type Outcome, type Reacher } from './reaches.js';

const TOKEN = 'token-1';
const COMMITTED: Outcome = { state: 'committed' };

function at(lsn: bigint, older: string | null = null): Reacher {
  return { name: 'client', reach: async () => ({ lsn, older }) };
}

function refuses(code: string): Reacher {
  const error = new SluiceError(code, { message: code, hint: '', stage: 'client', retry: false });
  return { name: 'client', reach: () => Promise.reject(error) };
}

async function judged(
  reacher: Reacher,
  outcome: Outcome,
  options: { readonly commit?: bigint; readonly disturbed?: boolean } = {},
): Promise<readonly string[]> {
  const reaches = new Reaches(() => options.disturbed ?? false);
  reaches.hand(reacher, TOKEN, outcome);
  await reaches.answered();
  if (options.commit !== undefined) {
    const messages = [{ prefix: 'sluice.token', content: '1' }];
    reaches.transaction({ lsn: options.commit, xid: 1, atMicros: 0n, changes: [], messages });
  }
  return reaches.verdict();
}

test('a token is reached at or past the commit that carried it', async () => {
  expect(await judged(at(10n), COMMITTED, { commit: 10n })).toEqual([]);
  expect(await judged(at(9n), COMMITTED, { commit: 10n })).toHaveLength(1);
});

test('what is current then is as new', async () => {
  expect(await judged(at(10n, 'a view'), COMMITTED, { commit: 10n })).toHaveLength(1);
});

test('nobody reaches what was rolled back', async () => {
  expect(await judged(at(10n), { state: 'rolled back' })).toHaveLength(1);
  expect(await judged(refuses('reached_timeout'), { state: 'rolled back' })).toEqual([]);
});

test('only a disturbance excuses a refusal, and only a registered one', async () => {
  expect(await judged(refuses('reached_timeout'), COMMITTED, { commit: 10n })).toHaveLength(1);
  expect(await judged(refuses('reached_timeout'), COMMITTED, { commit: 10n, disturbed: true })).toEqual([]);
  expect(await judged(refuses('oops'), COMMITTED, { commit: 10n, disturbed: true })).toHaveLength(1);
});
