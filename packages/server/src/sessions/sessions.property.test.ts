import { digest } from '@sluice/core/digest';
import { parsePosition, type Position } from '@sluice/core/position';
import type { Row, RowKey } from '@sluice/core/value';
import type { Resume, ServerMessage, ViewId } from '@sluice/core/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.js';
import { ModelViews, type Answer } from '../testing/model-views.js';
import { Replica } from '../transport/replica.js';
import { newCounters } from './counters.js';
import { Resolver } from './resolver.js';
import type { Session, Sink } from './session.js';
import { Sessions } from './sessions.js';
import { SPAN_BYTES } from './version-log.js';

/*
 * P1, P2, P3 at the seam: whatever the views tell, in whatever rhythm, to however slow clients, at each move each
 * client holds exactly what the database answers at that move's position, and positions never go back. Steps are plain
 * numbers, so that a failure shrinks to the few that matter.
 */

const VIEWS: readonly ViewId[] = ['quick', 'quickOrdered', 'late', 'lateOrdered'];
const KINDS = new Map(
  VIEWS.map((view) => [view, { late: view.startsWith('late'), ordered: view.endsWith('Ordered') }] as const),
);
const PRINCIPAL = { role: 'r', claims: {} };
const TRACE = process.env['SLUICE_TRACE'] !== undefined;
const LIMITS = {
  // Small, so that every bound is met.
  logVersionsMax: 5,
  logBytesTotalMax: 10 * SPAN_BYTES,
  logAgeMs: 300,
  rowsBytesMax: 200,
  foldAbove: 2,
  keepMs: 500,
  keepViewsMax: 2,
  stallMs: 1e9,
};

const WENT_WRONG: readonly (readonly Step[])[] = [
  // A view that was behind, at a position of its own, was shown with the others at one before it, while these waited for a third.
  [
    [62, 104, 0, 0],
    [62, 362, 0, 0],
    [56, 0, 0, 0],
    [22, 342, 0, 0],
    [0, 0, 140, 0],
    [22, 0, 0, 0],
    [42, 0, 0, 0],
    [42, 0, 0, 0],
    [62, 63, 0, 0],
    [90, 7, 0, 0],
    [0, 0, 348, 1],
    [56, 0, 0, 0],
    [0, 0, 0, 0],
    [22, 823, 218, 0],
    [0, 0, 132, 0],
    [90, 543, 0, 0],
    [22, 266, 362, 0],
    [42, 0, 0, 0],
    [22, 818, 0, 0],
    [42, 0, 0, 0],
  ],
];

interface Shown {
  readonly loading: boolean;
  readonly failed: boolean;
  /** Its own position, while it is behind. */
  readonly behind: Position | null;
}

const LOADING: Shown = { loading: true, failed: false, behind: null };

/** A client by the letter of the protocol. Judges every move. */
class Client implements Sink {
  readonly #model: ModelViews;
  readonly #sessions: Sessions;
  session: Session;
  stalled = false;
  readonly name: string;
  #replica = new Replica('');
  #seed = '';
  #position: Position | null = null;
  #subscriptions = new Map<number, { readonly view: ViewId; subscribed: boolean }>();
  #shown = new Map<ViewId, Shown>();
  /** Chain of each view, and of each whose rows are known to be of it. */
  readonly #chains = new Map<ViewId, string>();
  readonly #answered = new Map<ViewId, string>();
  #resumes = new Map<number, ReturnType<Replica['view']>>();
  #ids = 0;
  #connections = 0;
  #reaches = new Map<number, Position>();

  constructor(name: string, model: ModelViews, sessions: Sessions) {
    this.name = name;
    this.#model = model;
    this.#sessions = sessions;
    this.session = this.#connect();
  }

  get bufferedBytes(): number {
    return this.stalled ? Infinity : 0;
  }

  #connect(): Session {
    this.#seed = this.#sessions.seed(PRINCIPAL);
    this.#replica = new Replica(this.#seed);
    // One takes edits at every other connection, the other always.
    const edits = this.name === 'A' || this.#connections++ % 2 === 1;
    return this.#sessions.connect(this, PRINCIPAL, this.#position, edits);
  }

  subscribe(view: ViewId, replaces?: number): void {
    const id = ++this.#ids;
    this.#subscriptions.set(id, { view, subscribed: false });
    this.session.subscribe({
      kind: 'subscribe',
      id,
      sql: view,
      ...(replaces === undefined ? {} : { replaces }),
    });
  }

  /** One subscription, by a number that means nothing. */
  pick(n: number): number | undefined {
    const ids = [...this.#subscriptions.keys()];
    return ids[n % Math.max(1, ids.length)];
  }

  unsubscribe(id: number): void {
    this.session.unsubscribe({ kind: 'unsubscribe', id });
    this.#forget(id);
  }

  reach(position: Position): void {
    const id = ++this.#ids;
    this.#reaches.set(id, position);
    this.session.reach({ kind: 'reach', id, target: position });
  }

  /** Drops the connection and comes back with what it holds; some of it spoiled. */
  reconnect(spoil: boolean): void {
    this.session.closed();
    const before = this.#replica;
    const held = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    this.#shown.clear();
    this.#reaches.clear();
    this.#resumes.clear();
    this.stalled = false;
    this.session = this.#connect();
    const chains = new Map(this.#answered);
    this.#answered.clear();
    for (const { view } of held) {
      const chain = chains.get(view) ?? '';
      const id = ++this.#ids;
      this.#subscriptions.set(id, { view, subscribed: false });
      const has = spoil ? firstHalf(before.view(view)) : before.view(view);
      const resume = has.at === null ? {} : { resume: this.#describe(view, spoil ? '' : chain, has) };
      if (has.at !== null) this.#resumes.set(id, has);
      this.session.subscribe({ kind: 'subscribe', id, sql: view, ...resume });
    }
  }

  #describe(view: ViewId, chain: string, has: ReturnType<Replica['view']>): Resume {
    const rows = has.keys.map((key): [RowKey, Row] => [key, has.rows.get(key) ?? []]);
    const { buckets, order } = digest(this.#seed, rows, 2);
    return { view, chain, at: has.at ?? ('' as Position), buckets, order, count: rows.length };
  }

  send(messages: readonly Uint8Array[]): void {
    for (const bytes of messages) {
      if (TRACE) console.log(this.name, Buffer.from(bytes).toString());
      this.#hear(JSON.parse(Buffer.from(bytes).toString()) as ServerMessage);
    }
  }

  close(code: number): void {
    throw new Error(`closed with ${code}`);
  }

  /** Everything is quiet: everything must be shown, and right. */
  settled(): void {
    for (const { view, subscribed } of this.#subscriptions.values()) {
      expect(subscribed).toBe(true);
      const answer = this.#model.answer(view, this.#model.position);
      const shown = { loading: false, failed: 'error' in answer, behind: null };
      expect([view, this.#shown.get(view)]).toEqual([view, shown]);
      if ('rows' in answer) expect(this.#contents(view)).toEqual(sorted(view, answer.rows));
    }
    expect(this.#reaches.size).toBe(0);
  }

  #hear(message: ServerMessage): void {
    switch (message.kind) {
      case 'subscribed': {
        const subscription = this.#subscriptions.get(message.id);
        if (subscription === undefined) return;
        subscription.subscribed = true;
        if (message.shared === true && !this.#shown.has(message.view)) {
          // It was dropped while this one was on its way.
          this.unsubscribe(message.id);
          this.subscribe(message.view);
          return;
        }
        if (message.shared === true) return;
        this.#shown.set(message.view, LOADING);
        this.#chains.set(message.view, message.chain);
        this.#replica.open(message.view, message.shape);
        const has = this.#resumes.get(message.id);
        if (has !== undefined) this.#replica.seed(message.view, has);
        return;
      }
      case 'error':
        if (message.reach !== undefined) {
          expect(message.error.code).toBe('position_of_another_epoch');
          this.#reaches.delete(message.reach);
        } else {
          expect(message.error.code).toBe('gone');
          this.#forget(message.id ?? 0);
        }
        return;
      case 'move':
        this.#move(message);
        return;
      case 'rows':
      case 'delta':
      case 'difference':
        if (this.#shown.has(message.view)) this.#replica.stage(message);
    }
  }

  #move(move: Extract<ServerMessage, { kind: 'move' }>): void {
    this.#replica.move(move);
    if (this.#position !== null) expect(order(this.#position) <= order(move.position)).toBe(true);
    this.#position = move.position;
    const errors = new Set(move.errors?.map(([view]) => view));
    for (const [view, { behind }] of this.#shown) {
      // What comes back does not come back to before where it was.
      const back = behind !== null && (move.current?.includes(view) === true || errors.has(view));
      const still = move.behind?.some(([of]) => of === view) === true;
      if (back && !still) expect(order(behind) <= order(move.position)).toBe(true);
    }
    for (const view of move.current ?? []) this.#show(view, { loading: false, failed: false, behind: null });
    for (const view of errors) this.#show(view, { loading: false, failed: true, behind: null });
    for (const [view, at] of move.behind ?? []) {
      const was = this.#shown.get(view)?.behind ?? null;
      if (was !== null) expect(order(was) <= order(at)).toBe(true);
      this.#show(view, { loading: false, failed: errors.has(view), behind: at });
    }
    for (const id of move.reached ?? []) {
      expect(order(this.#reaches.get(id) ?? move.position) <= order(move.position)).toBe(true);
      this.#reaches.delete(id);
    }
    for (const id of move.replaced ?? []) this.#forget(id);
    for (const [view, shown] of this.#shown) if (!shown.loading) this.#judge(view, shown, move.position);
  }

  #judge(view: ViewId, { failed, behind }: Shown, position: Position): void {
    const at = behind ?? position;
    const answer = this.#model.answer(view, at);
    const right = 'error' in answer ? 'error' : sorted(view, answer.rows);
    expect([view, at, failed ? 'error' : this.#contents(view)]).toEqual([view, at, right]);
  }

  #show(view: ViewId, shown: Shown): void {
    if (!this.#shown.has(view)) return;
    this.#shown.set(view, shown);
    if (!shown.failed) this.#answered.set(view, this.#chains.get(view) ?? '');
  }

  #forget(id: number): void {
    const view = this.#subscriptions.get(id)?.view;
    this.#subscriptions.delete(id);
    if (
      view === undefined ||
      [...this.#subscriptions.values()].some((other) => other.view === view && other.subscribed)
    )
      return;
    this.#shown.delete(view);
    this.#answered.delete(view);
    this.#replica.close(view);
  }

  #contents(view: ViewId): readonly (readonly [RowKey, Row])[] {
    const { rows, keys } = this.#replica.view(view);
    return sorted(
      view,
      keys.map((key): [RowKey, Row] => [key, rows.get(key) ?? []]),
    );
  }
}

/** What a shorter page of the same list would hold. */
function firstHalf(view: ReturnType<Replica['view']>): ReturnType<Replica['view']> {
  const keys = view.keys.slice(0, view.keys.length >> 1);
  return { ...view, keys, rows: new Map([...view.rows].filter(([key]) => keys.includes(key))) };
}

function sorted(
  view: ViewId,
  rows: readonly (readonly [RowKey, Row])[],
): readonly (readonly [RowKey, Row])[] {
  return KINDS.get(view)?.ordered === true ? rows : rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** A number that grows with the position. */
function order(position: Position): bigint {
  const parsed = parsePosition(position);
  if (parsed === null) throw new Error('no position');
  return (BigInt(parsed.epoch.slice(2)) << 64n) + parsed.lsn;
}

const nat = fc.nat(1000);
type Step = readonly [kind: number, a: number, b: number, c: number];
const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(99), nat, nat, nat);

/** A new answer: some rows of few keys, now and then an error. There are few, so that they come back. */
function answerOf(random: number): Answer {
  const seed = random % 14;
  if (seed % 7 === 3) return { error: { code: 'division_by_zero', message: 'no', retry: true } };
  const keys = ['a', 'b', 'c', 'd', 'e'].filter((_, i) => (seed >> i) % 2 === 1);
  const rows = keys.map((key): [RowKey, Row] => [key, [`${(seed * 7 + key.charCodeAt(0)) % 5}`]]);
  return { rows: seed % 3 === 0 ? rows.toReversed() : rows };
}

/** Steps by weight; what is left over lets time pass. */
const KINDS_OF_STEP: readonly (readonly [number, string])[] = [
  [22, 'commit'],
  [20, 'run'],
  [14, 'flush'],
  [6, 'open'],
  [8, 'subscribe'],
  [4, 'replace'],
  [3, 'unsubscribe'],
  [4, 'reconnect'],
  [4, 'stall'],
  [3, 'reach'],
  [1, 'restart'],
  [1, 'end'],
];

function kindOf(n: number): string {
  let left = n;
  for (const [weight, kind] of KINDS_OF_STEP) {
    if (left < weight) return kind;
    left -= weight;
  }
  return 'pass';
}

class Run {
  readonly clock = new ManualClock();
  readonly model = new ModelViews(KINDS);
  readonly sessions = new Sessions({
    port: this.model,
    clock: this.clock,
    resolver: new Resolver({ allowSql: true }),
    secret: Buffer.alloc(32, 1),
    limits: LIMITS,
  });
  readonly clients = ['A', 'B'].map((name) => new Client(name, this.model, this.sessions));

  async take([kind, a, b, c]: Step): Promise<void> {
    const { model, clock } = this;
    const view = VIEWS[a % VIEWS.length] ?? 'quick';
    const client = this.clients[c % this.clients.length];
    if (client === undefined) return;
    if (TRACE) console.log('step', kindOf(kind), view, b, client.name);
    switch (kindOf(kind)) {
      case 'commit': {
        const changed = VIEWS.filter((_, i) => (b >> i) % 2 === 1);
        const answers = changed.map((one, i) => [one, answerOf(a * 31 + i * 17 + c)] as const);
        model.commit(1 + (a % 3), new Map(answers));
        break;
      }
      case 'run':
        model.run(view, b % 4);
        break;
      case 'flush':
        model.progress(a % 2);
        model.flush();
        clock.turn();
        break;
      case 'open':
        await settle();
        model.open();
        break;
      case 'subscribe':
        client.subscribe(view);
        await settle();
        break;
      case 'replace':
        client.subscribe(view, client.pick(b));
        await settle();
        break;
      case 'unsubscribe':
        client.unsubscribe(client.pick(b) ?? 0);
        break;
      case 'reconnect':
        client.reconnect(a % 3 === 0);
        await settle();
        break;
      case 'stall':
        client.stalled = !client.stalled;
        if (!client.stalled) client.session.drained();
        break;
      case 'reach':
        client.reach(model.position);
        break;
      case 'restart':
        model.restart(50 + (a % 100));
        break;
      case 'end':
        model.end(view, { code: 'gone', message: 'no', retry: false });
        break;
      default:
        clock.pass(a % 150);
    }
  }

  async finish(): Promise<void> {
    for (let round = 0; round < 4; round++) {
      for (const client of this.clients) {
        client.stalled = false;
        client.session.drained();
      }
      await settle();
      this.model.open();
      for (const view of VIEWS) this.model.run(view, 0);
      this.model.progress(1);
      this.model.flush();
      this.clock.pass(11_000);
    }
    for (const client of this.clients) client.settled();
  }
}

/** Lets promises resolve: resolving a query is asynchronous. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

test.skipIf(process.env['SLUICE_STEPS'] === undefined)('the steps of SLUICE_STEPS', async () => {
  const run = new Run();
  for (const one of JSON.parse(process.env['SLUICE_STEPS'] ?? '[]') as Step[]) await run.take(one);
  await run.finish();
});

test('steps that went wrong before', async () => {
  for (const steps of WENT_WRONG) {
    const run = new Run();
    for (const one of steps) await run.take(one);
    await run.finish();
  }
});

test('at every move every client holds what is true at its position', async () => {
  const seen = newCounters();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
      const run = new Run();
      for (const one of steps) await run.take(one);
      await run.finish();
      const counters = run.sessions.counters;
      for (const name of Object.keys(seen) as (keyof typeof seen)[]) seen[name] += counters[name];
    }),
    {
      numRuns: Number(process.env['SLUICE_RUNS'] ?? 2000),
      seed: Number(process.env['SLUICE_SEED'] ?? Date.now() % 2 ** 31),
    },
  );
  // Every way there is was taken; but nobody is closed for being slow.
  const { closedSlow, ...ways } = seen;
  expect(closedSlow).toBe(0);
  expect(Object.entries(ways).filter(([, count]) => count === 0)).toEqual([]);
  if (TRACE) console.log(seen);
});
