import { readFileSync } from 'node:fs';
import { CLOSE } from '@sluice/core/wire';
import { expect, test } from 'vitest';
import { CLIENT_ERRORS, WITHDRAWING } from './errors.js';
import { current, harness, until, type Issue } from './testing/harness.js';
import { at, subscribed, wholeRows } from './testing/scripted-server.js';

// What a client may not read any more it does not show; beside other errors the last rows stay (docs/protocol.md).

const refusal = (code: string) => ({ code, message: 'No.', retry: false }) as const;

test('docs/protocol.md names the errors that withdraw rows', () => {
  const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const section = page.split('**Errors that withdraw.**')[1]?.split(' say ')[0] ?? '';
  const named = [...section.matchAll(/`(\w+)`/g)].map((match) => match[1]);
  const ofServers = [...WITHDRAWING].filter((code) => !(code in CLIENT_ERRORS));
  expect(named.sort()).toEqual(ofServers.sort());
});

test.each([
  ['read_not_permitted', 0],
  ['permission_denied', 0],
  ['row_security_refused', 0],
  ['query_unknown', 1],
])('a subscription that ends with %s shows %d rows', async (code, rows) => {
  const { live, peer } = await current(await harness());
  const [row] = live.rows;
  peer.send({ kind: 'error', id: 1, error: refusal(code) });
  await until(live, () => live.status === 'error');
  expect(live.rows).toHaveLength(rows);
  expect(live.state.rows).toHaveLength(rows);
  expect(live.keyOf(row as Issue)).toBe(rows === 0 ? undefined : '1');
});

test('an answer that may not be read hides the rows until the right is back; only the difference is sent', async () => {
  const { live, peer } = await current(await harness());
  peer.send({ kind: 'move', position: at('0/20'), errors: [['v', refusal('permission_denied')]] });
  await until(live, () => live.status === 'error');
  expect(live.state).toMatchObject({ status: 'error', rows: [] });
  const ops = [['put', '2', ['2', 'two'], '1']] as const;
  peer.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/30'), ops });
  peer.send({ kind: 'move', position: at('0/30'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect(live.rows.map(({ id }) => id)).toEqual([1, 2]);
});

test.each([
  ['unauthorized', 0],
  ['token_expired', 1],
  [null, 0],
])('a connection refused with %s leaves %d rows', async (code, rows) => {
  const made = await harness({ token: 'old' });
  const { live, peer } = await current(made);
  if (code !== null) peer.send({ kind: 'error', error: refusal(code) });
  peer.close(CLOSE.unauthorized);
  await until(live, () => live.status === 'error');
  expect(live.rows).toHaveLength(rows);

  // Another token: nothing is described that is not held.
  await made.client.authenticate('new');
  const next = await made.server.greeted();
  const subscribe = await next.next('subscribe');
  expect('resume' in subscribe).toBe(rows === 1);
  next.send(subscribed(subscribe.id, 'v', { chain: 'c2' }), wholeRows('v', [['3', 'three']], '0/40'));
  next.send({ kind: 'move', position: at('0/40'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect(live.rows.map(({ id }) => id)).toEqual([3]);
});
