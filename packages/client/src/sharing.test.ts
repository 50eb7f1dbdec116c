import { expect, test, vi } from 'vitest';
import { current, eventually, harness, until, type Issue } from './testing/harness.js';
import { at, subscribed, wholeRows } from './testing/scripted-server.js';

const KEEP_MS = 10_000;

test('equal queries share one subscription, whatever the order of their arguments', async () => {
  const { client, queries, server } = await harness();
  const one = client.live(queries.issuesOf({ project: 1 }));
  const two = client.live({ query: 'issuesOf', args: { project: 1 } });
  const three = client.live({ query: 'issuesOf', args: { project: 2, state: 'x' } });
  const four = client.live({ query: 'issuesOf', args: { state: 'x', project: 2 } });
  const peer = await server.greeted();
  await peer.read();
  expect(peer.inbox.map((message) => 'args' in message && message.args)).toEqual([
    { project: 1 },
    { project: 2, state: 'x' },
  ]);
  peer.answer(1, 'v', [['1', 'one']], '0/10'); // prettier-ignore
  await Promise.all([one.ready, two.ready]);
  expect(two.rows).toBe(one.rows);
  for (const live of [three, four]) live.close();
});

test('queries whose arguments look alike do not share', async () => {
  const { client, server } = await harness();
  const args = [{ a: 1 }, [['a', 1]], ['a', 1], { 0: 'a', 1: 1 }, { a: '1' }, null, {}, []];
  const lives = args.map((one) => client.live({ query: 'issuesOf', args: one }));
  const peer = await server.greeted();
  await peer.read();
  expect(peer.inbox).toHaveLength(args.length);
  expect(new Set(args.map((one) => client.keyOf({ query: 'issuesOf', args: one }))).size).toBe(args.length);
  for (const live of lives) live.close();
});

test('the client lists what is open, with the query of each', async () => {
  const { client, queries } = await harness();
  const one = client.live(queries.issuesOf({ project: 1 }));
  const two = client.live({ sql: 'SELECT 1' });
  expect(client.liveViews).toEqual([one, two]);
  two.replace({ sql: 'SELECT 2' });
  expect(client.liveViews.map(({ ref }) => ref)).toEqual([
    queries.issuesOf({ project: 1 }),
    { sql: 'SELECT 2' },
  ]);
  one.close();
  one.close();
  expect(client.liveViews).toEqual([two]);
  two.close();
});

test('a query that is kept opens again at once and without traffic, until it is not kept any more', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const { rows } = live;
  live.close();
  made.clock.advance(KEEP_MS - 1);
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '2', ['2', 'two'], '1']],
  });
  peer.send({ kind: 'move', position: at('0/20') });
  await eventually(() => expect(made.client.position).toBe(at('0/20')));

  const again = made.client.live<Issue>({ sql: 'v' });
  expect([again.status, again.rows.length]).toEqual(['current', 2]);
  expect(again.rows[0]).toBe(rows[0]);
  await again.ready;
  made.clock.advance(KEEP_MS);
  expect(again.status).toBe('current');
  again.close();
  made.clock.advance(KEEP_MS - 1);
  await peer.read();
  expect(peer.inbox).toEqual([]);
  made.clock.advance(1);
  expect(await peer.next('unsubscribe')).toEqual({ kind: 'unsubscribe', id: 1 });
});

test('peek tells what is known of a query, and opens nothing', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const { client, clock } = made;
  const key = client.keyOf({ sql: 'v' });
  expect(client.keyOf({ query: 'x', args: { a: 1, b: 2 } })).toBe(
    client.keyOf({ query: 'x', args: { b: 2, a: 1 } }),
  );
  expect(client.peek(key)).toBe(live.state);
  live.close();
  expect(client.peek(key)).toMatchObject({ status: 'current', rows: [{ id: 1 }] });
  expect(client.live({ sql: 'v' }).state).toBe(client.peek(key));
  expect(client.peek(client.keyOf({ sql: 'unknown' }))).toEqual({ status: 'loading', rows: [] });
  await peer.read();
  expect(peer.inbox).toEqual([]);
  clock.advance(KEEP_MS);
  expect(() => client.keyOf({ query: 'x', args: 1n })).toThrow(
    expect.objectContaining({ code: 'args_invalid' }),
  );
});

test('close without keep ends the subscription, unless others hold it', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const other = made.client.live<Issue>({ sql: 'v' });
  live.close({ keep: false });
  expect(other.status).toBe('current');
  other.close({ keep: false });
  expect(await peer.next('unsubscribe')).toEqual({ kind: 'unsubscribe', id: 1 });
});

test('a query that is like another describes its rows, and ends nothing', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const next = made.client.live<Issue>({ sql: 'w' }, { like: live });
  const { replaces, resume } = await peer.next('subscribe');
  expect(replaces).toBeUndefined();
  expect(resume).toMatchObject({ view: 'v', at: at('0/10'), count: live.rows.length });
  peer.send(subscribed(2, 'w'));
  peer.send({
    kind: 'difference',
    view: 'w',
    at: at('0/10'),
    of: 1,
    buckets: [],
    rows: [['9', ['9', 'nine']]],
  });
  peer.send({ kind: 'move', position: at('0/10'), current: ['w'] });
  await next.ready;
  expect(next.rows.at(-1)).toEqual({ id: 9, title: 'nine' });
  expect(next.rows.slice(0, -1).every((row, i) => row === live.rows[i])).toBe(true);
  expect(live.status).toBe('current');
});

test('keepMs: 0 keeps nothing', async () => {
  const made = await harness({ keepMs: 0 });
  const { live, peer } = await current(made);
  live.close();
  await peer.next('unsubscribe');
  expect(made.client.live({ sql: 'v' }).status).toBe('loading');
});

test('a closed view is still, and so is its promise', async () => {
  const made = await harness();
  const live = made.client.live<Issue>({ sql: 'v' });
  const told = vi.fn();
  live.subscribe(told);
  live.close();
  live[Symbol.dispose]();
  await expect(live.ready).rejects.toMatchObject({ code: 'view_closed' });
  const peer = await made.server.greeted();
  peer.answer((await peer.next('subscribe')).id, 'v', [['1', 'one']], '0/10'); // prettier-ignore
  await eventually(() => expect(made.client.position).toBe(at('0/10')));
  expect(told).not.toHaveBeenCalled();
  expect(live.status).toBe('loading');
  expect(() => live.replace({ sql: 'w' })).toThrow(expect.objectContaining({ code: 'view_closed' }));
});

test('a view under two queries travels once; it stays while an answer that may name it is under way', async () => {
  const made = await harness({ keepMs: 0 });
  const { live, peer } = await current(made);
  const same = made.client.live<Issue>({ sql: 'another spelling of v' });
  const { id } = await peer.next('subscribe');
  live.close(); // before the answer, which brings no rows
  await peer.next('unsubscribe');
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '2', ['2', 'two'], '1']],
  });
  peer.send({ kind: 'move', position: at('0/20') }, subscribed(id, 'v', { shared: true }));
  await same.ready;
  expect(same.rows.map((row) => row.title)).toEqual(['one', 'two']);
});

test('a view that the server let go before it heard of the next subscription begins anew', async () => {
  const made = await harness({ keepMs: 0 });
  const { live, peer } = await current(made);
  const same = made.client.live<Issue>({ sql: 'another spelling of v' });
  const { id } = await peer.next('subscribe');
  live.close();
  await peer.next('unsubscribe');
  // Another view moves the connection on: what was held of this one is not the answer there.
  peer.send(subscribed(id, 'v'), { kind: 'move', position: at('0/20') });
  await eventually(() => expect(made.client.position).toBe(at('0/20')));
  expect(same.status).toBe('loading');
  peer.send(wholeRows('v', [['5', 'five']], '0/30')); // prettier-ignore
  peer.send({ kind: 'move', position: at('0/30'), current: ['v'] });
  await same.ready;
  expect(same.rows).toEqual([{ id: 5, title: 'five' }]);
});

test('a view that was given up is not mistaken for one that is asked for later', async () => {
  const made = await harness({ keepMs: 0 });
  const { live, peer } = await current(made);
  live.close();
  const again = made.client.live<Issue>({ sql: 'v' });
  const { id, resume } = await peer.next('subscribe');
  expect(resume).toBeUndefined();
  peer.send({ kind: 'delta', view: 'v', from: at('0/10'), to: at('0/11'), ops: [['del', '1']] }); // of the old hold
  peer.send(subscribed(id, 'v'), wholeRows('v', [['5', 'five']], '0/20')); // prettier-ignore
  peer.send({ kind: 'move', position: at('0/20'), current: ['v'] });
  await again.ready;
  expect(again.rows).toEqual([{ id: 5, title: 'five' }]);
});

test('replace: the old rows stay until the new ones are there, then the server ends the old one', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const seen: string[] = [];
  live.subscribe(() => seen.push(`${live.status} ${live.rows.map((row) => row.id).join()}`));
  const before = live.ready;
  live.replace({ sql: 'w' });
  expect(live.ready).not.toBe(before);
  const { id, replaces } = await peer.next('subscribe');
  expect(replaces).toBe(1);
  peer.send({
    kind: 'delta',
    view: 'v',
    from: at('0/10'),
    to: at('0/20'),
    ops: [['put', '2', ['2', 'two'], '1']],
  });
  peer.send({ kind: 'move', position: at('0/20') });
  await until(live, () => live.rows.length === 2);
  expect(live.position).toBeNull();
  peer.send(subscribed(id, 'w'), wholeRows('w', [['7', 'seven']], '0/30')); // prettier-ignore
  peer.send({ kind: 'move', position: at('0/30'), current: ['w'], replaced: [1] });
  await live.ready;
  expect(seen).toEqual(['switching 1', 'switching 1,2', 'current 7']);
  made.clock.advance(KEEP_MS);
  await peer.read();
  expect(peer.inbox).toEqual([]); // the old one is over on both sides
});

test('replacing by what is there already is instant', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const other = made.client.live<Issue>({ sql: 'w' });
  peer.answer((await peer.next('subscribe')).id, 'w', [['7', 'seven']], '0/20'); // prettier-ignore
  await other.ready;
  live.replace({ sql: 'w' });
  expect([live.status, live.rows]).toEqual(['current', [{ id: 7, title: 'seven' }]]);
  live.replace({ sql: 'w' });
  live.replace({ sql: 'v' }); // kept
  expect([live.status, live.rows]).toEqual(['current', [{ id: 1, title: 'one' }]]);
  await peer.read();
  expect(peer.inbox).toEqual([]);
});

test('a query that somebody else still shows is not given up for a replacement', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  const second = made.client.live<Issue>({ sql: 'v' });
  live.replace({ sql: 'w' });
  expect((await peer.next('subscribe')).replaces).toBeUndefined();
  live.replace({ sql: 'x' }); // changed its mind: w is kept, x is asked for
  expect((await peer.next('subscribe')).sql).toBe('x');
  expect([live.status, second.status]).toEqual(['switching', 'current']);
});

test('one that was joined after it was given up is asked for again', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  live.replace({ sql: 'w' });
  const { id } = await peer.next('subscribe');
  const second = made.client.live<Issue>({ sql: 'v' });
  expect(second.status).toBe('current');
  peer.send(subscribed(id, 'w'), wholeRows('w', [], '0/30'));
  peer.send({ kind: 'move', position: at('0/30'), current: ['w'], replaced: [1] });
  const again = await peer.next('subscribe');
  expect(again).toMatchObject({ sql: 'v', resume: { view: 'v', at: at('0/10') } });
  expect(second.status).toBe('stale');
  peer.send(subscribed(again.id, 'v'), { kind: 'move', position: at('0/31'), current: ['v'] });
  await until(second, () => second.status === 'current');
  expect(second.rows).toHaveLength(1);
});

test('whoever waits for a query that is replaced waits for the new one', async () => {
  const made = await harness();
  const live = made.client.live<Issue>({ sql: 'v' });
  const ready = live.ready;
  live.replace({ sql: 'w' });
  expect(live.status).toBe('loading');
  const peer = await made.server.greeted();
  expect([(await peer.next('subscribe')).sql, (await peer.next('subscribe')).sql]).toEqual(['v', 'w']);
  peer.answer(2, 'w', [], '0/10');
  expect(await ready).toBe(live);
});

test('a replacement that is refused shows the error', async () => {
  const made = await harness();
  const { live, peer } = await current(made);
  live.replace({ sql: 'w' });
  const { id } = await peer.next('subscribe');
  peer.send({ kind: 'error', id, error: { code: 'syntax', message: 'No SQL.', retry: false } });
  await expect(live.ready).rejects.toMatchObject({ code: 'syntax' });
  expect([live.status, live.rows]).toEqual(['error', []]);
  live.replace({ sql: 'v' });
  expect(live.status).toBe('current');
});
