import fc from 'fast-check';
import { asLsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import { RetainedTransactions, type OpenFetch } from './retained-transactions.js';
import { parseSnapshot, sees, type Snapshot } from './snapshot.js';
import type { Relation, Transaction } from './transaction.js';

const relation: Relation = { oid: 1, schema: 's', name: 't', replicaIdentity: 'default', columns: [] };

function transaction(xid: number, lsn: bigint, bytes = 10): Transaction {
  return {
    xid,
    lsn: asLsn(lsn),
    previous: asLsn(lsn - 1n),
    changes: [{ kind: 'truncate', relation }],
    bulk: new Map(),
    messages: [],
    bytes,
  };
}

const xids = (transactions: readonly Transaction[]): number[] => transactions.map(({ xid }) => xid);

test('C7: forgotten once a snapshot sees it, though an older transaction pins xmin for ever', () => {
  const retained = new RetainedTransactions(1_000_000);
  retained.add(transaction(10, 1n));
  retained.add(transaction(11, 2n));
  retained.snapshotTaken(parseSnapshot('5:11:5'));
  expect(retained.count).toBe(1); // 10 is seen although 5 still runs; 11 is not
  retained.snapshotTaken(parseSnapshot('5:12:5'));
  expect(retained).toMatchObject({ count: 0, bytes: 0, confirmable: null });
});

test('C7: kept while a fetch is open that may have begun before the snapshot that sees it', () => {
  const retained = new RetainedTransactions(1_000_000);
  retained.add(transaction(10, 1n));
  const fetch = retained.begin();
  retained.snapshotTaken(parseSnapshot('11:11:'));
  expect(xids(retained.unseen(parseSnapshot('10:11:10')))).toEqual([10]);
  retained.end(fetch);
  expect(retained.count).toBe(0);
});

test('C7: nothing at or past the oldest retained commit can be confirmed', () => {
  const retained = new RetainedTransactions(1_000_000);
  retained.add(transaction(10, 100n));
  retained.add(transaction(11, 200n));
  expect(retained.confirmable).toBe(99n);
  retained.snapshotTaken(parseSnapshot('11:12:11'));
  expect(retained.confirmable).toBe(199n);
});

test('what arrives while a fetch is open stays until it ends, seen or not', () => {
  const retained = new RetainedTransactions(1_000_000);
  retained.snapshotTaken(parseSnapshot('20:20:'));
  const fetch = retained.begin();
  retained.add(transaction(12, 3n)); // visible before it streamed
  retained.snapshotTaken(parseSnapshot('30:30:'));
  expect(xids(retained.seen(parseSnapshot('20:20:')))).toEqual([12]);
  retained.end(fetch);
  expect(retained.count).toBe(0);
});

test('fetches that overlap without end do not keep anything for ever', () => {
  const retained = new RetainedTransactions(1_000_000);
  let previous = retained.begin();
  for (let xid = 10; xid < 100; xid++) {
    const next = retained.begin();
    retained.add(transaction(xid, BigInt(xid)));
    retained.snapshotTaken(parseSnapshot(`${xid + 1}:${xid + 1}:`));
    retained.end(previous);
    previous = next;
    expect(retained.count).toBeLessThan(4);
  }
});

test('at the bound the oldest lose their changes and say so; the newest stay whole', () => {
  const retained = new RetainedTransactions(6000);
  for (let xid = 10; xid < 15; xid++) retained.add(transaction(xid, BigInt(xid), 4000));
  const kept = retained.unseen(parseSnapshot('1:1:'));
  expect(xids(kept)).toEqual([10, 11, 12, 13, 14]);
  expect(kept.map(({ bulk }) => [...bulk.keys()])).toEqual([[1], [1], [1], [1], []]);
  expect(kept.map(({ changes }) => changes.length)).toEqual([0, 0, 0, 0, 1]);
  expect(retained.bytes).toBeLessThan(6000);
  expect(retained.full).toBe(false);
  for (let xid = 15; xid < 50; xid++) retained.add(transaction(xid, BigInt(xid), 4000));
  expect(retained.full).toBe(true); // even the markers are too many
});

// A model of Postgres: transactions start, commit to the WAL, become visible and are streamed, in any order that
// Postgres allows; fetches begin, take a snapshot, and ask. Whatever a fetch's snapshot does not see and the stream
// told must be in `unseen`; whatever it sees and was told since it began must be in `seen`.

type Step = 'start' | 'commit' | 'show' | 'stream' | 'probe' | 'receive' | 'begin' | 'snap' | 'check' | 'end';
const STEPS: readonly Step[] = [
  'start',
  'commit',
  'show',
  'stream',
  'probe',
  'receive',
  'begin',
  'snap',
  'check',
  'end',
];

interface ModelFetch {
  readonly open: OpenFetch;
  snapshot: Snapshot | null;
  readonly toldBefore: number;
}

class Model {
  readonly retained = new RetainedTransactions(1_000_000_000);
  #next = 10;
  readonly #running: number[] = [];
  readonly #invisible: number[] = [];
  readonly #wal: number[] = [];
  readonly #told: number[] = [];
  readonly #probes: Snapshot[] = [];
  readonly #fetches: ModelFetch[] = [];

  do(step: Step, pick: number): void {
    switch (step) {
      case 'start':
        this.#running.push(this.#next++);
        break;
      case 'commit':
        for (const xid of take(this.#running, pick)) {
          this.#wal.push(xid);
          this.#invisible.push(xid);
        }
        break;
      case 'show':
        take(this.#invisible, pick);
        break;
      case 'stream':
        for (const xid of this.#wal.splice(0, 1)) {
          this.#told.push(xid);
          this.retained.add(transaction(xid, BigInt(this.#told.length)));
        }
        break;
      case 'probe':
        this.#probes.push(this.#snapshot());
        break;
      case 'receive':
        for (const probe of this.#probes.splice(0, 1)) this.retained.snapshotTaken(probe);
        break;
      case 'begin':
        this.#fetches.push({ open: this.retained.begin(), snapshot: null, toldBefore: this.#told.length });
        break;
      default:
        this.#fetch(step, pick);
    }
  }

  #fetch(step: Step, pick: number): void {
    const fetch = this.#fetches[pick % Math.max(1, this.#fetches.length)];
    if (fetch === undefined) return;
    if (step === 'snap') fetch.snapshot ??= this.#snapshot();
    if (step === 'check') this.#check(fetch);
    if (step !== 'end') return;
    this.#check(fetch);
    this.#fetches.splice(this.#fetches.indexOf(fetch), 1);
    if (fetch.snapshot) this.retained.snapshotTaken(fetch.snapshot);
    this.retained.end(fetch.open);
  }

  #check({ snapshot, toldBefore }: ModelFetch): void {
    if (snapshot === null) return;
    const unseen = this.#told.filter((xid) => !sees(snapshot, xid));
    expect(xids(this.retained.unseen(snapshot))).toEqual(unseen);
    const since = this.#told.filter((xid, index) => sees(snapshot, xid) && index >= toldBefore);
    expect(xids(this.retained.seen(snapshot))).toEqual(expect.arrayContaining(since));
  }

  #snapshot(): Snapshot {
    const xip = new Set([...this.#running, ...this.#invisible].map(BigInt));
    const xmax = BigInt(this.#next);
    return { xmin: [...xip].reduce((low, xid) => (xid < low ? xid : low), xmax), xmax, xip };
  }
}

function take(from: number[], pick: number): number[] {
  return from.length === 0 ? [] : from.splice(pick % from.length, 1);
}

const anySteps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat({ max: 2 })), {
  minLength: 100,
  maxLength: 300,
});

test('C5, C7: no order of commits, visibility, streaming, probes and fetches loses what a fetch needs', () => {
  fc.assert(
    fc.property(anySteps, (steps) => {
      const model = new Model();
      for (const [step, pick] of steps) model.do(step, pick);
    }),
    { numRuns: 1000 },
  );
});
