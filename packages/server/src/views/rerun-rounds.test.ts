import { asLsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import type { Run } from '../source/source.js';
import type { Transaction } from '../source/transaction.js';
import { within } from '../testing/deadline.js';
import { RERUN_PLAN } from '../testing/plans.js';
import type { Entry } from './port.js';
import { RerunRounds } from './rerun-rounds.js';
import { RerunTemplate } from './rerun-template.js';
import { Publications } from './publications.js';
import { View } from './view.js';

const principal = { role: 'r', claims: {} };
const OPTIONS = { rowsPerViewMax: 10, tickMs: 0, hasRoom: () => true };

test('a template that turns out slow, and was overtaken, is run again though nothing more happens', async () => {
  const entries: Entry[] = [];
  const template = new RerunTemplate('key', RERUN_PLAN, principal, OPTIONS);
  const view = new View(
    'v',
    RERUN_PLAN.shape,
    { sql: '', params: [], principal, adHoc: false },
    new Publications((entry) => entries.push(entry)),
  );
  const overtaking: Transaction = {
    xid: 7,
    lsn: asLsn(20n),
    previous: asLsn(10n),
    changes: [],
    bulk: new Map(),
    messages: [],
    bytes: 0,
  };
  let runs = 0;
  let nowMs = 0;
  const run: Run = () => Promise.resolve({ fields: [], rows: [] });
  const again = new Promise<void>((resolve) => {
    const rounds = new RerunRounds({
      fetch: async (_options, read) => {
        runs++;
        nowMs += 200;
        const result = await read(run);
        if (runs === 1) template.touched(overtaking);
        else queueMicrotask(resolve);
        const unseen = runs === 1 ? [overtaking] : [];
        const snapshot = { xmin: 1n, xmax: runs === 1 ? 7n : 8n, xip: new Set<bigint>() };
        const none = { seen: () => [], end: () => undefined };
        return { result, snapshot, upper: asLsn(10n), chain: 0, unseen: () => unseen, ...none };
      },
      passed: () => Promise.resolve(),
      chain: () => 0,
      version: () => ({ epoch: 'e', lsn: asLsn(20n) }),
      runBatch: async () => {
        nowMs += 100; // slower than its lane is for
        return [[[String(runs)]]];
      },
      alterations: () => 0,
      isHeld: () => false,
      touchedBy: () => new Map([[template, 'all']]),
      statementTimeoutMs: 1000,
      intervalMs: 20,
      restFactor: 0,
      now: () => nowMs,
      sleep: () => Promise.resolve(),
      recovered: (error) => Promise.reject(error instanceof Error ? error : new Error('failed')),
      onRun: () => undefined,
      onTold: () => undefined,
      onSlowed: () => undefined,
    });
    rounds.add(template);
    template.open(view, [], asLsn(10n));
    rounds.wake();
  });
  await again;
  await new Promise((resolve) => setImmediate(resolve));
  expect(entries.map(({ kind }) => kind)).toEqual(['rows', 'gap', 'delta']);
});

test.each([
  [60, 180],
  [20, 0],
])('after a run of %i ms its template rests for %i ms, and is run again then', async (tookMs, restMs) => {
  const template = new RerunTemplate('key', RERUN_PLAN, principal, OPTIONS);
  const spec = { sql: '', params: [], principal, adHoc: false };
  const view = new View('v', RERUN_PLAN.shape, spec, new Publications(() => undefined));
  const change = (xid: number): Transaction => ({
    xid,
    lsn: asLsn(BigInt(xid)),
    previous: asLsn(BigInt(xid - 1)),
    changes: [],
    bulk: new Map(),
    messages: [],
    bytes: 0,
  });
  let nowMs = 0;
  let xid = 10;
  const starts: number[] = [];
  const ends: number[] = [];
  const slowed: number[] = [];
  const run: Run = () => Promise.resolve({ fields: [], rows: [] });
  const fourRuns = new Promise<void>((resolve) => {
    const rounds: RerunRounds = new RerunRounds({
      fetch: async (_options, read) => {
        const snapshot = { xmin: 1n, xmax: BigInt(xid + 1), xip: new Set<bigint>() };
        const upper = asLsn(BigInt(xid));
        const result = await read(run);
        return { result, snapshot, upper, chain: 0, unseen: () => [], seen: () => [], end: () => undefined };
      },
      passed: () => Promise.resolve(),
      chain: () => 0,
      version: () => ({ epoch: 'e', lsn: asLsn(BigInt(xid)) }),
      runBatch: async () => {
        starts.push(nowMs);
        nowMs += tookMs;
        ends.push(nowMs);
        return [[[String(nowMs)]]];
      },
      alterations: () => 0,
      isHeld: () => false,
      touchedBy: () => new Map(),
      statementTimeoutMs: 1000,
      intervalMs: 5,
      restFactor: 3,
      now: () => nowMs,
      sleep: (ms) => {
        nowMs += ms;
        return new Promise((done) => setImmediate(done));
      },
      recovered: (error) => Promise.reject(error instanceof Error ? error : new Error('failed')),
      onRun: () => {
        // Something happens as soon as the answer has been told, each time.
        setImmediate(() => {
          if (starts.length === 4) {
            rounds.stop();
            return resolve();
          }
          template.touched(change(++xid));
          rounds.wake();
        });
      },
      onTold: () => undefined,
      onSlowed: (_template, _ms, rest) => slowed.push(rest),
    });
    rounds.add(template);
    template.open(view, [], asLsn(1n));
    rounds.wake();
  });
  await within('four runs', fourRuns);
  const rests = starts.slice(1).map((start, at) => start - (ends[at] ?? 0));
  expect(rests).toHaveLength(3);
  for (const rest of rests) expect(rest).toBeGreaterThanOrEqual(restMs);
  // Who is quick is not kept waiting, and it is told once.
  if (restMs === 0) expect(Math.max(...rests)).toBeLessThan(tookMs);
  expect(slowed).toEqual(restMs === 0 ? [] : [restMs]);
});
