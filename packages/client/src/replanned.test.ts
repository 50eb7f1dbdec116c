import { expect, test } from 'vitest';
import { current, harness, until, type Issue } from './testing/harness.js';
import { at, subscribed, wholeRows } from './testing/scripted-server.js';

// The schema changes under a query that was answered: what refuses it passes when the schema changes again.

const replanned = { code: 'query_replanned', message: 'Another plan.', retry: true } as const;
const refusal = { code: 'column_unknown', message: 'No.', retry: false } as const;

async function refused(way: 'replanned' | 'ended') {
  const made = await harness();
  const { live, peer } = await current(made);
  if (way === 'replanned') {
    peer.send({ kind: 'error', id: 1, error: replanned });
    await until(live, () => live.status === 'stale');
    made.clock.advance(0);
    const again = await peer.next('subscribe');
    peer.send({ kind: 'error', id: again.id, error: refusal });
  } else peer.send({ kind: 'error', id: 1, error: refusal });
  await until(live, () => live.status === 'error');
  return { ...made, live, peer };
}

test.each(['replanned', 'ended'] as const)(
  'a column that goes and comes back (%s): the rows stay, and it is asked for again',
  async (way) => {
    const { live, peer, clock } = await refused(way);
    expect(live.state).toMatchObject({ status: 'error', retrying: true, error: { code: 'column_unknown' } });
    expect(live.rows).toHaveLength(1);
    clock.advance(10_000);
    const again = await peer.next('subscribe');
    peer.send({ kind: 'error', id: again.id, error: refusal });
    await peer.read();
    clock.advance(10_000);
    const last = await peer.next('subscribe');
    peer.send(subscribed(last.id, 'w', { chain: 'c2' }), wholeRows('w', [['3', 'three']], '0/40'));
    peer.send({ kind: 'move', position: at('0/40'), current: ['w'] });
    await until(live, () => live.status === 'current');
    expect(live.rows.map(({ id }) => id)).toEqual([3]);
  },
);

test('who opens it meanwhile asks at once', async () => {
  const { client, live, peer } = await refused('replanned');
  const other = client.live<Issue>({ sql: 'v' });
  expect(other.rows).toBe(live.rows);
  expect(await peer.next('subscribe')).toMatchObject({ sql: 'v' });
  await peer.read();
  expect(peer.inbox).toEqual([]);
});

test('a right that was taken away with it is not asked for again by itself', async () => {
  const { live, peer, clock } = await refused('replanned');
  clock.advance(10_000);
  const again = await peer.next('subscribe');
  peer.send({ kind: 'error', id: again.id, error: { ...refusal, code: 'read_not_permitted' } });
  await until(live, () => live.rows.length === 0);
  expect(live.state).toMatchObject({ status: 'error', retrying: false });
  clock.advance(10_000);
  await peer.read();
  expect(peer.inbox).toEqual([]);
});

test('a query that is refused from the start is not asked for again', async () => {
  const { client, server, clock } = await harness();
  const live = client.live<Issue>({ sql: 'v' });
  const peer = await server.greeted();
  const { id } = await peer.next('subscribe');
  peer.send({ kind: 'error', id, error: refusal });
  await until(live, () => live.status === 'error');
  expect(live.state).toMatchObject({ retrying: false });
  clock.advance(10_000);
  await peer.read();
  expect(peer.inbox).toEqual([]);
});
