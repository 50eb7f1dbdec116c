import { bucketCount, bucketOf, digest } from '@sluice/core/digest';
import { expect, test } from 'vitest';
import { current, eventually, harness, until, type Issue } from './testing/harness.js';
import { at, SEED, subscribed, wholeRows } from './testing/scripted-server.js';

const OTHER_SEED = 'ffeeddccbbaa99887766554433221100';
const ROWS = Array.from({ length: 40 }, (_, i) => [String(i), `title ${i}`] as const);

test('a connection that is back says what it holds, and gets the difference', async () => {
  const made = await harness();
  const { live, peer } = await current(made, ROWS);
  const before = live.rows;
  peer.terminate();
  await until(live, () => live.status === 'stale');
  made.clock.advance(125);

  const next = await made.server.connection();
  expect(await next.next('hello')).toMatchObject({ position: at('0/10') });
  next.send({ kind: 'hello', version: 1, seed: OTHER_SEED, pingMs: 30_000 });
  const { id, resume } = await next.next('subscribe');
  const of = bucketCount(40);
  const keyed = ROWS.map((row) => [row[0], row] as const);
  expect(resume).toEqual({
    view: 'v',
    chain: 'c1',
    at: at('0/10'),
    ...digest(OTHER_SEED, keyed, of),
    count: 40,
  });
  expect(live.rows).toBe(before);

  const bucket = bucketOf(OTHER_SEED, of);
  const changed = keyed.map(([key, row]) => [key, key === '7' ? ['7', 'new'] : row] as const);
  next.send(subscribed(id, 'v', { chain: 'c2' }), {
    kind: 'difference',
    view: 'v',
    at: at('0/30'),
    of,
    buckets: [bucket('7')],
    rows: changed.filter(([key]) => bucket(key) === bucket('7')),
  });
  await next.read();
  expect([live.status, live.rows]).toEqual(['stale', before]);
  next.send({ kind: 'move', position: at('0/30'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect(live.rows.map((row) => row.title)).toEqual(changed.map(([, row]) => row[1]));
  expect(live.rows.filter((row, i) => row !== before[i])).toEqual([{ id: 7, title: 'new' }]);

  // The chain goes on from the difference.
  next.send({ kind: 'delta', view: 'v', from: at('0/30'), to: at('0/31'), ops: [['del', '7']] });
  next.send({ kind: 'move', position: at('0/31') });
  await until(live, () => live.rows.length === 39);
});

test('what was waited for is asked again', async () => {
  const made = await harness();
  const { peer } = await current(made);
  const reached = made.client.reached('0/50');
  await peer.next('reach');
  peer.terminate();
  await until(made.client, () => made.client.status === 'offline');
  made.clock.advance(125);
  const next = await made.server.greeted();
  const { id } = await next.next('reach');
  next.send({ kind: 'move', position: at('0/50'), reached: [id] });
  await reached;
});

test('held deltas are taken up where they were left, with no rows sent', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.terminate();
  await until(live, () => live.status === 'stale');
  made.clock.advance(125);
  const next = await made.server.greeted();
  next.send(subscribed((await next.next('subscribe')).id, 'v'));
  next.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '2', ['2', 'two'], '1']],
  });
  next.send({ kind: 'move', position: at('0/25'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect(live.rows).toHaveLength(2);
});

test('an older position of the same epoch is refused, and waited out', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.terminate();
  await until(live, () => live.status === 'stale');
  for (const [round, older] of [at('0/F'), at('0/FF', '7301442958736401234.0')].entries()) {
    made.clock.advance(125 * 2 ** round);
    const behind = await made.server.greeted();
    const { id } = await behind.next('subscribe');
    behind.send(subscribed(id, 'v'), { ...wholeRows('v', [], '0/F'), at: older });
    behind.send({ kind: 'move', position: older, current: ['v'] });
    await until(made.client, () => made.client.error?.code === 'position_older');
    await behind.closed;
    expect([live.status, live.rows.length, made.client.position]).toEqual(['stale', 1, at('0/10')]);
  }
});

test.each(['7301442958736401234.2', '99.1'])('a new epoch (%s) may lower the LSN', async (epoch) => {
  const made = await harness();
  const { live, peer } = await current(made);
  const lower = at('0/5', epoch);
  peer.send({ ...wholeRows('v', [['2', 'two']], '0/5'), at: lower }); // prettier-ignore
  peer.send({ kind: 'move', position: lower });
  await until(live, () => live.rows[0]?.id === 2);
  expect([live.status, live.position]).toEqual(['current', lower]);
});

test('a broken chain asks for that view again, and for no other', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const other = made.client.live<Issue>({ sql: 'w' });
  peer.answer((await peer.next('subscribe')).id, 'w', [], '0/10');
  await other.ready;
  const put = (key: string) => [['put', key, [key, 'x'], null]] as const;
  peer.send({ kind: 'delta', view: 'v', from: at('0/11'), to: at('0/12'), ops: put('8') });
  expect(await peer.next('unsubscribe')).toEqual({ kind: 'unsubscribe', id: 1 });
  const again = await peer.next('subscribe');
  expect(again).toMatchObject({ id: 3, sql: 'v', resume: { view: 'v', at: at('0/10') } });
  expect(live).toMatchObject({ status: 'stale', position: at('0/10'), rows: [{ id: 1 }] });
  // What was on its way for the old hold no longer counts.
  peer.send({ kind: 'delta', view: 'v', from: at('0/12'), to: at('0/13'), ops: put('9') });
  peer.send({ kind: 'delta', view: 'w', from: at('0/10'), to: at('0/13'), ops: put('5') });
  peer.send({ kind: 'move', position: at('0/13') });
  await until(other, () => other.rows.length === 1);
  expect([live.status, live.rows.length, other.status]).toEqual(['stale', 1, 'current']);

  const difference = { kind: 'difference', view: 'v', at: at('0/14'), of: 1, buckets: [0] } as const;
  peer.send(subscribed(3, 'v'), { ...difference, rows: [['8', ['8', 'x']], ['9', ['9', 'x']]] }); // prettier-ignore
  peer.send({ kind: 'move', position: at('0/14'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect(live.rows.map((row) => row.id)).toEqual([8, 9]);
});

test('a view that comes back as another shows the old rows until the new ones are there', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.terminate();
  await until(live, () => live.status === 'stale');
  made.clock.advance(125);
  const next = await made.server.greeted();
  const { id } = await next.next('subscribe');
  next.send(subscribed(id, 'v-after-ddl'), wholeRows('v-after-ddl', [['2', 'two']], '0/20')); // prettier-ignore
  await next.read();
  expect(live.rows).toEqual([{ id: 1, title: 'one' }]);
  next.send({ kind: 'move', position: at('0/20'), current: ['v-after-ddl'] });
  await until(live, () => live.status === 'current');
  expect(live.rows).toEqual([{ id: 2, title: 'two' }]);
  // Nothing of the old view is held any more: its deltas are nobody's.
  next.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/21'), ops: [['del', '1']] });
  next.send({ kind: 'move', position: at('0/21') });
  await eventually(() => expect(live.position).toBe(at('0/21')));
  expect(next.inbox).toEqual([]);
});

test('behind: its own position, its own rows, and back', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.send({ kind: 'move', position: at('0/20'), behind: [['v', at('0/15')]] });
  await until(live, () => live.status === 'behind');
  expect([live.position, made.client.position]).toEqual([at('0/15'), at('0/20')]);
  peer.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/18'), ops: [['del', '1']] });
  peer.send({ kind: 'move', position: at('0/21'), behind: [['v', at('0/19')]] });
  await until(live, () => live.rows.length === 0);
  expect(live.position).toBe(at('0/19'));
  peer.terminate();
  await until(live, () => live.status === 'stale');
  expect(live.position).toBe(at('0/19'));
});

test('the difference may be to a view of another id', async () => {
  const made = await harness();
  const { live, peer } = await current(made, ROWS);
  const before = live.rows;
  peer.terminate();
  await until(live, () => live.status === 'stale');
  made.clock.advance(125);
  const next = await made.server.greeted();
  const { id } = await next.next('subscribe');
  const bucket = bucketOf(SEED, bucketCount(40));
  const named = ROWS.filter(([key]) => bucket(key) === 0);
  next.send(subscribed(id, 'v2', { chain: 'c2' }), {
    kind: 'difference',
    view: 'v2',
    at: at('0/30'),
    of: bucketCount(40),
    buckets: [0],
    rows: named.slice(1).map((row) => [row[0], row]),
    order: ROWS.map(([key]) => key).filter((key) => key !== named[0]?.[0]),
  });
  next.send({ kind: 'move', position: at('0/30'), current: ['v2'] });
  await until(live, () => live.status === 'current');
  const gone = Number(named[0]?.[0]);
  expect(live.rows).toEqual(before.filter((row) => row.id !== gone));
  expect(live.rows[0]).toBe(before.find((row) => row.id !== gone));
  next.send({
    kind: 'delta',
    view: 'v2',
    from: at('0/30'),
    to: at('0/31'),
    ops: [['put', '99', ['99', 'x'], null]],
  });
  next.send({ kind: 'move', position: at('0/31') });
  await until(live, () => live.rows[0]?.id === 99);
});

test('what replaces another gets the difference to the rows as they were when it was asked for', async () => {
  const made = await harness();
  const { live, peer } = await current(made, ROWS);
  const [, second] = live.rows;
  live.replace({ sql: 'w' });
  const { id, replaces, resume } = await peer.next('subscribe');
  const of = bucketCount(40);
  const keyed = ROWS.map((row) => [row[0], row] as const);
  expect({ replaces, resume }).toEqual({
    replaces: 1,
    resume: { view: 'v', chain: 'c1', at: at('0/10'), ...digest(SEED, keyed, of), count: 40 },
  });
  // The old one goes on meanwhile.
  peer.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/20'), ops: [['del', '0'], ['del', '1']] }); // prettier-ignore
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.rows.length === 38);
  const bucket = bucketOf(SEED, of);
  peer.send(subscribed(id, 'w', { chain: 'c9' }), {
    kind: 'difference',
    view: 'w',
    at: at('0/25'),
    of,
    buckets: [bucket('0')],
    rows: keyed.filter(([key]) => bucket(key) === bucket('0') && key !== '0'),
    order: keyed.map(([key]) => key).filter((key) => key !== '0'),
  });
  peer.send({ kind: 'move', position: at('0/30'), current: ['w'], replaced: [1] });
  await live.ready;
  expect(live.rows.map((row) => row.id)).toEqual(ROWS.map(([key]) => Number(key)).slice(1));
  expect(live.rows[0]).toBe(second);
});

test('other claims: another view under the same subscription, the old rows until it is there', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  peer.send(subscribed(1, 'v-of-other-claims'));
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.status === 'stale');
  expect([live.position, live.rows.length]).toEqual([at('0/10'), 1]);
  peer.send(wholeRows('v-of-other-claims', [], '0/21'));
  peer.send({ kind: 'move', position: at('0/21'), current: ['v-of-other-claims'] });
  await until(live, () => live.status === 'current');
  expect(live.rows).toEqual([]);
  // And back: the first view is nobody's meanwhile, so it comes whole.
  peer.send(subscribed(1, 'v'));
  await until(live, () => live.status === 'stale');
  peer.send(wholeRows('v', [['3', 'three']], '0/22'));
  peer.send({ kind: 'move', position: at('0/22'), current: ['v'] });
  await until(live, () => live.status === 'current');
  expect(live.rows).toEqual([{ id: 3, title: 'three' }]);
});

test('an error of a view that is behind is at its own position', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const error = { code: 'query_error', message: 'It fails.', retry: true };
  peer.send({ kind: 'move', position: at('0/20'), behind: [['v', at('0/15')]], errors: [['v', error]] });
  await until(live, () => live.status === 'error');
  expect(live.state).toMatchObject({ position: at('0/15'), retrying: false });
});
