import { bucketOf, digest } from '@sluice/core/digest';
import { asLsn } from '@sluice/core/lsn';
import type { Op, ServerMessage, Subscribe } from '@sluice/core/wire';
import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { ScriptedViews, type ScriptEntry } from '../testing/scripted-views.js';
import { Replica } from '../transport/replica.js';
import type { SessionLimits } from './limits.js';
import { Resolver } from './resolver.js';
import type { Session, Sink } from './session.js';
import { Sessions } from './sessions.js';

/** One line for each message: what a rule looks like on the wire. */
class Recorder implements Sink {
  lines: string[] = [];
  readonly messages: ServerMessage[] = [];
  closed: string | null = null;
  writes = 0;
  /** How often it was asked whether it has room: whenever there might be something to tell. */
  looks = 0;
  #bufferedBytes = 0;

  get bufferedBytes(): number {
    this.looks += 1;
    return this.#bufferedBytes;
  }

  set bufferedBytes(bytes: number) {
    this.#bufferedBytes = bytes;
  }

  send(messages: readonly Uint8Array[]): void {
    this.writes += 1;
    for (const bytes of messages) {
      const message = JSON.parse(Buffer.from(bytes).toString()) as ServerMessage;
      this.messages.push(message);
      this.lines.push(line(message));
    }
  }

  close(code: number): void {
    this.closed = String(code);
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

function line(message: ServerMessage): string {
  const lsn = (position: string): number => Number.parseInt(position.split('/')[1] ?? '', 16);
  switch (message.kind) {
    case 'rows':
      return `rows ${message.view}@${lsn(message.at)}`;
    case 'delta':
      return `delta ${message.view} ${lsn(message.from)}-${lsn(message.to)} (${message.ops.length})`;
    case 'difference':
      return `difference ${message.view}@${lsn(message.at)} buckets=${message.buckets.join('+')}`;
    case 'move': {
      const { current, behind, errors, reached, replaced } = message;
      const parts = [
        `move ${lsn(message.position)}`,
        ...(current ? [`current=${current.join('+')}`] : []),
        ...(behind ?? []).map(([view, at]) => `behind=${view}@${lsn(at)}`),
        ...(errors ?? []).map(([view, error]) => `error=${view}:${error.code}`),
        ...(reached ? [`reached=${reached.join('+')}`] : []),
        ...(replaced ? [`replaced=${replaced.join('+')}`] : []),
      ];
      return parts.join(' ');
    }
    case 'subscribed':
      return `subscribed ${message.id}=${message.view}${message.shared === true ? ' shared' : ''}`;
    case 'error':
      return `error ${message.id ?? message.reach ?? ''}:${message.error.code}`;
    default:
      return message.kind;
  }
}

let clock: ManualClock;
let views: ScriptedViews;
let sessions: Sessions;

function start(limits: Partial<SessionLimits> = {}): void {
  clock = new ManualClock();
  views = new ScriptedViews();
  const resolver = new Resolver({ allowSql: true });
  sessions = new Sessions({ port: views, clock, resolver, secret: Buffer.alloc(32, 1), limits });
}

beforeEach(() => start());

function connect(position: string | null = null, edits = true): { session: Session; sink: Recorder } {
  const sink = new Recorder();
  return { sink, session: sessions.connect(sink, { role: 'r', claims: {} }, position, edits) };
}

async function subscribe(
  session: Session,
  id: number,
  sql: string,
  more: Partial<Subscribe> = {},
): Promise<void> {
  session.subscribe({ kind: 'subscribe', id, sql, ...more });
  for (let i = 0; i < 5; i++) await Promise.resolve();
  clock.turn();
}

function batch(...args: Parameters<ScriptedViews['batch']>): void {
  views.batch(...args);
  clock.turn();
}

const put = (key: string, value: string): readonly ['put', string, readonly string[]] => [
  'put',
  key,
  [value],
];

async function shown(...names: string[]): Promise<{ session: Session; sink: Recorder }> {
  const one = connect();
  for (const [i, name] of names.entries()) await subscribe(one.session, i + 1, name);
  batch(10, ...names.map((name) => ({ rows: name, at: 10, is: [] })));
  one.sink.take();
  return one;
}

test('C13 deltas of all views, then one move, in one write', async () => {
  const { sink } = await shown('a', 'b');
  sink.writes = 0;
  views.batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', 'x')] });
  views.batch(
    12,
    { delta: 'b', from: 10, to: 12, ops: [put('k', 'x')] },
    { delta: 'a', from: 11, to: 12, ops: [put('k', 'y')] },
  );
  clock.turn();
  expect(sink.take()).toEqual(['delta a 10-11 (1)', 'delta a 11-12 (1)', 'delta b 10-12 (1)', 'move 12']);
  expect(sink.writes).toBe(1);
});

test('C3 a connection that has nothing to be told is told nothing', async () => {
  const { sink } = await shown('a');
  batch(20);
  batch(30, { gap: 'a', through: 25 });
  batch(40, { again: 'a', from: 35 });
  clock.pass(60_000);
  expect(sink.take()).toEqual([]);
});

test('C3 a connection that waits for a position is told nothing on the way', async () => {
  const { sink, session } = await shown('a');
  session.reach({ kind: 'reach', id: 1, target: '0/1E' });
  for (const at of [15, 20, 25]) batch(at);
  expect(sink.take()).toEqual([]);
  batch(30);
  expect(sink.take()).toEqual(['move 30 reached=1']);
});

test('C3 a batch that says nothing of its views does not touch a connection', async () => {
  const { sink } = await shown('a');
  const other = await shown('b');
  sink.looks = 0;
  for (let at = 11; at <= 20; at++)
    batch(at, { delta: 'b', from: at - 1, to: at, ops: [put('k', String(at))] });
  expect(other.sink.take()).toHaveLength(20);
  expect(sink.looks).toBe(0);
});

test('C13 a delta that does not continue the chain: whole rows for who is behind it', async () => {
  const { sink } = await shown('a');
  batch(20, { delta: 'a', from: 15, to: 20, ops: [put('k', '1')] });
  expect(sink.take()).toEqual([]);
  const [asked] = views.take('snapshot');
  batch(21, { rows: 'a', at: 20, is: [], ref: asked?.ref ?? 0 });
  expect(sink.take()).toEqual(['rows a@20', 'move 21']);
  batch(22, { delta: 'a', from: 20, to: 22, ops: [put('k', '2')] });
  expect(sink.take()).toEqual(['delta a 20-22 (1)', 'move 22']);
});

test('C14 the move goes to the greatest position at which all current views are valid', async () => {
  const { sink } = await shown('a', 'b', 'c');
  batch(
    40,
    { delta: 'a', from: 10, to: 15, ops: [put('k', '1')] },
    { delta: 'a', from: 15, to: 30, ops: [put('k', '2')] },
    { gap: 'b', through: 17 },
    { again: 'b', from: 25 },
    { gap: 'b', through: 31 },
    { gap: 'c', through: 27 },
  );
  // At 27 b and c are valid, and a's version of 15 is.
  expect(sink.take()).toEqual(['delta a 10-15 (1)', 'move 27']);
  batch(41, { again: 'b', from: 41 }, { again: 'c', from: 41 });
  expect(sink.take()).toEqual(['delta a 15-30 (1)', 'move 41']);
});

test('C14 a view that holds the others longer than 100 ms falls behind, goes on alone, and rejoins', async () => {
  const { sink } = await shown('a', 'slow');
  batch(20, { delta: 'a', from: 10, to: 20, ops: [put('k', '1')] }, { gap: 'slow', through: 12 });
  clock.pass(99);
  expect(sink.take()).toEqual([]);
  clock.pass(1);
  expect(sink.take()).toEqual(['delta a 10-20 (1)', 'move 20 behind=slow@10']);
  batch(
    30,
    { delta: 'a', from: 20, to: 30, ops: [put('k', '2')] },
    { delta: 'slow', from: 10, to: 18, ops: [put('k', '1')] },
    { gap: 'slow', through: 19 },
  );
  expect(sink.take()).toEqual(['delta a 20-30 (1)', 'delta slow 10-18 (1)', 'move 30 behind=slow@19']);
  // Valid as far as the stream has come: the first common position.
  batch(35, { delta: 'slow', from: 18, to: 33, ops: [put('k', '2')] });
  expect(sink.take()).toEqual(['delta slow 18-33 (1)', 'move 35 current=slow']);
});

test('C14 a view that is never valid at the tip gets to join: the others wait for it, once, a little', async () => {
  const { sink, session } = await shown('a');
  await subscribe(session, 2, 'busy');
  sink.take();
  batch(50, { delta: 'a', from: 10, to: 50, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['delta a 10-50 (1)', 'move 50']);
  batch(
    60,
    { rows: 'busy', at: 40, is: [] },
    { gap: 'busy', through: 45 },
    { delta: 'a', from: 50, to: 60, ops: [put('k', '2')] },
  );
  expect(sink.take()).toEqual([]);
  clock.pass(20);
  batch(70, { delta: 'busy', from: 40, to: 55, ops: [put('k', '1')] }, { gap: 'busy', through: 58 });
  expect(sink.take()).toEqual(['rows busy@40', 'delta busy 40-55 (1)', 'move 58 current=busy']);
  batch(70, { delta: 'busy', from: 55, to: 66, ops: [put('k', '2')] }, { gap: 'busy', through: 68 });
  expect(sink.take()).toEqual(['delta a 50-60 (1)', 'delta busy 55-66 (1)', 'move 68']);
});

test('C14 … and in vain: it is shown behind, and does not hold anybody again before a pause', async () => {
  const { sink, session } = await shown('a');
  await subscribe(session, 2, 'busy');
  batch(50, { delta: 'a', from: 10, to: 50, ops: [put('k', '1')] });
  sink.take();
  batch(60, { rows: 'busy', at: 40, is: [] }, { gap: 'busy', through: 45 });
  batch(61, { delta: 'a', from: 50, to: 61, ops: [put('k', '2')] });
  clock.pass(100);
  expect(sink.take()).toEqual(['delta a 50-61 (1)', 'rows busy@40', 'move 61 behind=busy@45']);
  batch(62, { delta: 'a', from: 61, to: 62, ops: [put('k', '3')] });
  expect(sink.take()).toEqual(['delta a 61-62 (1)', 'move 62']);
});

test('C17 an error is the answer at its position, and its end is news', async () => {
  const { sink } = await shown('a', 'b');
  const error = { code: 'division_by_zero', message: 'no', retry: true };
  batch(20, { error: 'a', from: 20, is: error }, { delta: 'b', from: 10, to: 20, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['delta b 10-20 (1)', 'move 20 error=a:division_by_zero']);
  batch(25, { delta: 'b', from: 20, to: 25, ops: [put('k', '2')] });
  expect(sink.take()).toEqual(['delta b 20-25 (1)', 'move 25']);
  batch(30, { again: 'a', from: 30 });
  expect(sink.take()).toEqual(['move 30 current=a']);
});

test('a view that ends fails its subscriptions, the others go on', async () => {
  const { sink } = await shown('a', 'b');
  const gone = { code: 'table_gone', message: 'no', retry: false };
  batch(20, { ended: 'a', is: gone }, { delta: 'b', from: 10, to: 20, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['error 1:table_gone', 'delta b 10-20 (1)', 'move 20']);
  expect(views.take('release')).toEqual([]);
});

test('two subscriptions of one view: its rows travel once', async () => {
  const { sink, session } = await shown('a');
  await subscribe(session, 2, 'a');
  expect(sink.take()).toEqual(['subscribed 2=a shared']);
  session.unsubscribe({ kind: 'unsubscribe', id: 1 });
  batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['delta a 10-11 (1)', 'move 11']);
});

test('late joiners share one snapshot, and get the deltas since', async () => {
  start({ rowsBytesMax: 0 });
  await shown('a');
  const [one, two] = [connect(), connect()];
  await subscribe(one.session, 1, 'a');
  await subscribe(two.session, 1, 'a');
  const asked = views.take('snapshot');
  expect(asked).toHaveLength(1);
  batch(
    12,
    { rows: 'a', at: 10, is: [], ref: asked[0]?.ref ?? 0 },
    { delta: 'a', from: 10, to: 12, ops: [put('k', '1')] },
  );
  for (const { sink } of [one, two]) {
    expect(sink.take()).toEqual(['subscribed 1=a', 'rows a@10', 'delta a 10-12 (1)', 'move 12 current=a']);
  }
});

test('replaces: the new one is shown and the old one ends in the same move', async () => {
  const { sink, session } = await shown('a');
  await subscribe(session, 2, 'b', { replaces: 1 });
  batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', '1')] });
  expect(sink.take()).toEqual(['subscribed 2=b', 'delta a 10-11 (1)', 'move 11']);
  batch(12, { rows: 'b', at: 12, is: [] });
  expect(sink.take()).toEqual(['rows b@12', 'move 12 current=b replaced=1']);
  batch(13, { delta: 'a', from: 11, to: 13, ops: [put('k', '2')] });
  expect(sink.take()).toEqual([]);
});

test('C15 resume: held deltas, else a difference, nothing twice', async () => {
  const { session } = await shown('a');
  session.closed();
  batch(12, { delta: 'a', from: 10, to: 12, ops: [put('k', '1')] });
  const chain = `${'01'.repeat(6)}.1`;
  const resume = { view: 'a', chain, at: views.position(10), buckets: ['0000000000000000'] };
  const back = connect();
  await subscribe(back.session, 1, 'a', { resume });
  expect(back.sink.take()).toEqual(['subscribed 1=a', 'delta a 10-12 (1)', 'move 12 current=a']);
  // From another server: the same position, but not of this chain.
  const other = connect();
  await subscribe(other.session, 1, 'a', { resume: { ...resume, chain: 'ff.1' } });
  expect(other.sink.take()).toEqual([
    'subscribed 1=a',
    'difference a@10 buckets=',
    'delta a 10-12 (1)',
    'move 12 current=a',
  ]);
  const empty = connect();
  await subscribe(empty.session, 1, 'a', { resume: { ...resume, chain: 'ff.1', buckets: [] } });
  expect(empty.sink.take()).toEqual([
    'subscribed 1=a',
    'rows a@10',
    'delta a 10-12 (1)',
    'move 12 current=a',
  ]);
});

test('C15 a difference brings the rows that differ, and no others', async () => {
  const rows = Array.from({ length: 64 }, (_, n) => [`k${n}`, [`v${n}`]] as const);
  const { session } = connect();
  await subscribe(session, 1, 'a');
  batch(10, { rows: 'a', at: 10, is: rows });
  const back = connect();
  const messages: ServerMessage[] = [];
  const send = back.sink.send.bind(back.sink);
  back.sink.send = (sent) => {
    messages.push(...sent.map((one) => JSON.parse(Buffer.from(one).toString()) as ServerMessage));
    send(sent);
  };
  const seed = sessions.seed({ role: 'r', claims: {} });
  const held = rows.map(([key, row]) => [key, key === 'k7' ? ['old'] : row] as const);
  const { buckets } = digest(seed, held, 16);
  const resume = { view: 'a', chain: 'ff.1', at: views.position(9), buckets };
  await subscribe(back.session, 1, 'a', { resume });
  const bucket = bucketOf(seed, 16);
  expect(messages.find(({ kind }) => kind === 'difference')).toMatchObject({
    at: views.position(10),
    of: 16,
    buckets: [bucket('k7')],
    rows: rows.filter(([key]) => bucket(key) === bucket('k7')),
  });
});

test('P3 nothing older than the client has seen, within an epoch', async () => {
  await shown('a');
  const ahead = connect(views.position(15));
  await subscribe(ahead.session, 1, 'a');
  batch(14);
  expect(ahead.sink.take()).toEqual(['subscribed 1=a']);
  batch(15);
  expect(ahead.sink.take()).toEqual(['rows a@10', 'move 15 current=a']);
  const elsewhere = connect('9.9:0/FF');
  await subscribe(elsewhere.session, 1, 'a');
  expect(elsewhere.sink.take()).toEqual(['subscribed 1=a', 'rows a@10', 'move 15 current=a']);
});

test('another epoch: a lower LSN is ahead', async () => {
  const { sink } = await shown('a');
  views.batch(20, { gap: 'a', through: 20 });
  views.epoch = '7.2';
  batch(5);
  expect(sink.take()).toEqual([]);
  batch(6, { again: 'a', from: 5 });
  expect(sink.take()).toEqual([]);
  views.tell({
    kind: 'batch',
    epoch: '7.2',
    position: asLsn(7n),
    entries: [
      {
        kind: 'delta',
        view: 'a',
        from: asLsn(10n),
        to: asLsn(7n),
        message: Buffer.from('{"kind":"delta","view":"a","from":"7.1:0/A","to":"7.2:0/7","ops":[]}'),
        count: 0,
      },
    ],
  });
  clock.turn();
  expect(sink.take()).toEqual(['delta a 10-7 (0)', 'move 7']);
});

test('C26 reach: LSN, position, token; before and after; and what never comes', async () => {
  const { sink, session } = await shown('a');
  session.reach({ kind: 'reach', id: 1, target: '0/A' });
  clock.turn();
  expect(sink.take()).toEqual(['move 10 reached=1']);
  session.reach({ kind: 'reach', id: 2, target: '0/10' });
  session.reach({ kind: 'reach', id: 3, target: views.position(15) });
  session.reach({ kind: 'reach', id: 4, target: 'token-early' });
  batch(15);
  expect(sink.take()).toEqual(['move 15 reached=3']);
  views.tell({ kind: 'token', token: 'token-early', lsn: asLsn(15n) });
  views.tell({ kind: 'token', token: 'token-late', lsn: asLsn(16n) });
  session.reach({ kind: 'reach', id: 5, target: 'token-late' });
  clock.turn();
  expect(sink.take()).toEqual(['move 15 reached=4']);
  batch(16);
  expect(sink.take()).toEqual(['move 16 reached=2+5']);
  for (const target of ['nonsense', '', '8.8:0/1']) session.reach({ kind: 'reach', id: 6, target });
  session.reach({ kind: 'reach', id: 7, target: 'token-never' });
  clock.turn();
  expect(sink.take()).toEqual([
    'error 6:reach_target_invalid',
    'error 6:reach_target_invalid',
    'error 6:position_of_another_epoch',
  ]);
  clock.pass(60_000);
  expect(sink.take()).toEqual(['error 7:reach_timeout']);
});

test('C14 reach does not wait for views that are behind or loading', async () => {
  const { sink, session } = await shown('a', 'slow');
  await subscribe(session, 3, 'loading');
  session.reach({ kind: 'reach', id: 1, target: '0/14' });
  batch(20, { delta: 'a', from: 10, to: 20, ops: [put('k', '1')] }, { gap: 'slow', through: 12 });
  clock.pass(100);
  expect(sink.take()).toEqual([
    'subscribed 3=loading',
    'delta a 10-20 (1)',
    'move 20 behind=slow@10 reached=1',
  ]);
});

test('a client that does not read: folded, and whole when the log does not reach back', async () => {
  start({ logVersionsMax: 4 });
  const { sink, session } = await shown('a');
  sink.bufferedBytes = 2 ** 30;
  for (let at = 11; at <= 13; at++)
    batch(at, { delta: 'a', from: at - 1, to: at, ops: [put('k', String(at))] });
  expect(sink.take()).toEqual([]);
  sink.bufferedBytes = 0;
  session.drained();
  clock.turn();
  expect(sink.take()).toEqual(['delta a 10-13 (1)', 'move 13']);
  sink.bufferedBytes = 2 ** 30;
  for (let at = 14; at <= 20; at++)
    batch(at, { delta: 'a', from: at - 1, to: at, ops: [put('k', String(at))] });
  sink.bufferedBytes = 0;
  session.drained();
  clock.turn();
  const [asked] = views.take('snapshot');
  batch(20, { rows: 'a', at: 20, is: [['k', ['20']]], ref: asked?.ref ?? 0 });
  expect(sink.take()).toEqual(['rows a@20', 'move 20']);
});

/** Version `at` of `k`: the same text with as many stars behind it. */
const starred = (at: number): ScriptEntry => ({
  delta: 'a',
  from: at - 1,
  to: at,
  ops: [put('k', `text${'*'.repeat(at - 10)}`)],
  edited: [['edit', 'k', [[0, [[at - 7, 0, '*']]]]]],
});

/** The operations that came, of all deltas. */
const opsOf = (sink: Recorder): Op[] => {
  const messages = sink.messages.splice(0);
  sink.take();
  return messages.flatMap((message) => (message.kind === 'delta' ? message.ops : []));
};

test('edits are for those who take them; to others rows come whole, in deltas while they are there', async () => {
  const edits = await shown('a');
  batch(11, starred(11));
  expect(opsOf(edits.sink)).toEqual([['edit', 'k', [[0, [[4, 0, '*']]]]]]);
  const { sink, session } = connect(null, false);
  await subscribe(session, 1, 'a');
  // What leads from the rows that are remembered to the present holds an edit: others are asked for.
  expect(sink.take()).toEqual(['subscribed 1=a']);
  const [asked] = views.take('snapshot');
  batch(12, { rows: 'a', at: 11, is: [['k', ['text*']]], ref: asked?.ref ?? 0 }, starred(12));
  expect(sink.take()).toEqual(['rows a@11', 'delta a 11-12 (1)', 'move 12 current=a']);
  batch(13, starred(13));
  expect(opsOf(sink)).toEqual([put('k', 'text**'), put('k', 'text***')]);
  expect(opsOf(edits.sink).map(([kind]) => kind)).toEqual(['edit', 'edit']);
  // It goes; what comes after is held without the whole rows again.
  const held = sessions.status().heldBytes;
  session.closed();
  batch(14, starred(14));
  const { length } = JSON.stringify(edits.sink.messages.at(-2));
  expect(edits.sink.messages.at(-2)?.kind).toBe('delta');
  expect(sessions.status().heldBytes - held).toBe(length);
  const back = connect(null, false);
  const chain = `${'01'.repeat(6)}.1`;
  await subscribe(back.session, 1, 'a', {
    resume: { view: 'a', chain, at: views.position(13), buckets: [] },
  });
  expect(views.take('snapshot').length).toBe(1);
});

test.each([true, false])('edits are folded with all that they build on (ordered: %s)', async (ordered) => {
  views.shape = { ...views.shape, ordered };
  const { sink, session } = await shown('a');
  opsOf(sink);
  sink.bufferedBytes = 2 ** 30;
  const last = ordered ? ([null] as const) : ([] as const);
  batch(11, {
    delta: 'a',
    from: 10,
    to: 11,
    ops: [['put', 'k', ['gone'], ...last] as Op, ['put', 'l', ['x'], ...last] as Op],
  });
  batch(12, { delta: 'a', from: 11, to: 12, ops: [['put', 'k', ['text**'], ...last] as Op, ['del', 'l']] });
  for (const at of [13, 14]) batch(at, starred(at));
  sink.bufferedBytes = 0;
  session.drained();
  clock.turn();
  const [folded, ...rest] = [...sink.messages];
  expect(rest.map(({ kind }) => kind)).toEqual(['move']);
  const told = opsOf(sink).map(([kind, key]) => `${kind} ${key}`);
  if (!ordered) expect(told).toEqual(['put k', 'edit k', 'edit k', 'del l']);
  const replica = new Replica();
  replica.open('a', views.shape);
  replica.stage({ kind: 'rows', view: 'a', at: views.position(10), rows: [['k', ['old']]] });
  if (folded !== undefined) replica.stage(folded);
  replica.move({ kind: 'move', position: views.position(14) });
  expect([...replica.view('a').rows]).toEqual([['k', ['text****']]]);
});

test('a client that never reads again is closed, and so is one whose buffer is over the bound', async () => {
  start({ bufferBytesMax: 1000 });
  const { sink } = await shown('a');
  sink.bufferedBytes = 2 ** 30;
  batch(11, { delta: 'a', from: 10, to: 11, ops: [put('k', 'x')] });
  clock.pass(60_000);
  expect(sink.closed).toBe('4409');
  const other = await shown('b');
  Object.defineProperty(other.sink, 'bufferedBytes', { get: () => (other.sink.lines.length > 0 ? 1001 : 0) });
  batch(21, { delta: 'b', from: 10, to: 21, ops: [put('k', 'x')] });
  expect(other.sink.closed).toBe('4409');
  expect(sessions.status().sessions).toBe(0);
});

test('one that asks without reading the answers is closed', async () => {
  start({ controlMax: 10 });
  const { sink, session } = await shown('a');
  sink.bufferedBytes = 2 ** 30;
  for (let id = 0; id < 10; id++) session.pong(id);
  clock.turn();
  expect(sink.closed).toBeNull();
  session.pong(10);
  clock.turn();
  expect(sink.closed).toBe('4409');
});

test('views that nobody holds stay for a while, within a budget, oldest out first', async () => {
  start({ keepViewsMax: 2 });
  const { session } = await shown('a', 'b', 'c');
  session.closed();
  expect(views.take('release').map(({ view }) => view)).toEqual(['a']);
  clock.pass(59_000);
  const back = connect();
  await subscribe(back.session, 1, 'b');
  expect(back.sink.take()).toEqual(['subscribed 1=b', 'rows b@10', 'move 10 current=b']);
  clock.pass(1000);
  // The extra hold of the second `open` was given back at once; c went cold.
  expect(views.take('release').map(({ view }) => view)).toEqual(['b', 'c']);
  back.session.closed();
  clock.pass(60_000);
  expect(views.take('release').map(({ view }) => view)).toEqual(['b']);
  expect(sessions.status()).toMatchObject({ views: 0, heldBytes: 0 });
});

test('P6: when views hold too much, those that nobody holds go before it is said that they have', async () => {
  const { session } = await shown('a', 'b');
  const other = connect();
  await subscribe(other.session, 1, 'b');
  session.closed();
  views.posted.length = 0;
  views.tell({ kind: 'full' });
  expect(views.posted).toEqual([{ kind: 'release', view: 'a' }, { kind: 'spared' }]);
  expect(sessions.status()).toMatchObject({ views: 1, idleViews: 0 });
});

test('a view is not given up while an open is unanswered that may name it', async () => {
  const { session } = await shown('a');
  views.viewOf = null;
  const other = connect();
  await subscribe(other.session, 1, 'the same, written differently');
  session.closed();
  clock.pass(120_000);
  expect(views.take('release')).toEqual([]);
  views.opened(views.take('open').at(-1)?.ref ?? 0, 'a');
  clock.turn();
  expect(other.sink.take()).toEqual(['subscribed 1=a', 'rows a@10', 'move 10 current=a']);
});

test('deltas and rows that are held have a bound over all views', async () => {
  start({ logBytesTotalMax: 2000, rowsBytesMax: 200 });
  await shown('a', 'b', 'c');
  for (let at = 11; at < 200; at++) {
    for (const view of ['a', 'b', 'c'])
      batch(at, { delta: view, from: at - 1, to: at, ops: [put('k', 'x'.repeat(50))] });
  }
  expect(sessions.status().heldBytes).toBeLessThan(2000 + 200 + 3 * 200);
});

test('tokens are forgotten oldest first', async () => {
  start({ tokensMax: 2 });
  const { sink, session } = await shown('a');
  for (const name of ['1', '2', '3']) views.tell({ kind: 'token', token: `token-${name}`, lsn: asLsn(5n) });
  session.reach({ kind: 'reach', id: 1, target: 'token-1' });
  session.reach({ kind: 'reach', id: 2, target: 'token-2' });
  clock.turn();
  expect(sink.take()).toEqual(['move 10 reached=2']);
});

test('an unsubscribed query that is being planned is let go when it comes', async () => {
  views.viewOf = null;
  const { session, sink } = connect();
  await subscribe(session, 1, 'a');
  session.unsubscribe({ kind: 'unsubscribe', id: 1 });
  views.opened(views.take('open')[0]?.ref ?? 0, 'a');
  clock.turn();
  expect(sink.take()).toEqual([]);
  expect(sessions.status()).toMatchObject({ views: 1, idleViews: 1, subscriptions: 0 });
});
