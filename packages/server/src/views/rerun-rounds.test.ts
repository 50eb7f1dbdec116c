import { asLsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import type { Planned } from '../planner/planned.js';
import type { Snapshot } from '../source/snapshot.js';
import type { Fetch, FetchOptions, Run } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import type { Entry } from './port.js';
import { RerunRounds } from './rerun-rounds.js';
import { RerunTemplate } from './rerun-template.js';
import { View } from './view.js';

const planned: Planned = {
  template: 't',
  shape: { columns: [{ name: 'n', type: 'text', decoder: 'text' }], ordered: false },
  paramTypes: [],
  reads: [1],
  readsAnything: false,
  views: [],
  userCode: false,
  keyColumns: null,
  readsClock: false,
  gear: { kind: 'rerun', sql: { pieces: ['SELECT 1'], refs: [], lateral: true }, reason: 'a test' },
};
const principal = { role: 'r', claims: {} };
const snapshot: Snapshot = { xmin: 100n, xmax: 100n, xip: new Set() };
const none = { changes: [], bulk: new Map(), messages: [], bytes: 0 };
const early: Transaction = { xid: 200, lsn: asLsn(10n), previous: asLsn(5n), ...none };

/** Rounds whose runs take as long as `costsMs` says, one after the other; the first of them stands nowhere. */
async function run(costsMs: readonly number[], fails: number): Promise<Entry[]> {
  const template = new RerunTemplate('key', planned, principal, 1000, 0);
  let nowMs = 0;
  let runs = 0;
  const rounds = new RerunRounds({
    fetch: async <T>(_: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>> => {
      await new Promise((resolve) => setImmediate(resolve)); // the idle lane has looked, and ended
      const result = await read(() => Promise.resolve({ fields: [], rows: [] }));
      const unseen = runs <= fails ? [early] : [];
      const end = (): void => undefined;
      return { result, snapshot, upper: asLsn(10n), chain: 0, unseen: () => unseen, seen: () => [], end };
    },
    passed: () => Promise.resolve(),
    chain: () => 0,
    version: () => ({ epoch: '1.1', lsn: asLsn(20n) }),
    runBatch: () => {
      nowMs += costsMs[runs++] ?? 0;
      return Promise.resolve([[['1']]]);
    },
    touchedBy: () => new Set([template]),
    statementTimeoutMs: 1000,
    intervalMs: 0,
    now: () => nowMs,
    sleep: () => Promise.resolve(),
    recovered: () => Promise.resolve(),
    onRun: () => undefined,
  });
  const entries: Entry[] = [];
  const query = { sql: '', params: [], principal, adHoc: false };
  template.open(new View('v', planned.shape, query, (entry) => entries.push(entry)), [], asLsn(20n));
  rounds.add(template);
  rounds.wake();
  // Nothing else happens to the template: whatever is left has to be done by the rounds themselves.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  return entries;
}

test('a template that turns out to be slow while its views are dirty runs again, in the other lane', async () => {
  expect((await run([60, 60], 1)).map(({ kind }) => kind)).toEqual(['rows']);
});

test('one that turns out to be fast again does so, too', async () => {
  expect((await run([60, 0, 0, 0], 3)).map(({ kind }) => kind)).toEqual(['rows']);
});
