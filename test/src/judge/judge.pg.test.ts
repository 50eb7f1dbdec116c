import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FAULTS } from './faults.js';
import { DEFAULTS, type TrialOptions } from './options.js';
import { passed, summaryOf, type Report } from './report.js';
import { runTrial } from './trial.js';

/*
 * The whole product under the judge, briefly: a server in a process of its own, clients in Node and in Python, every
 * move compared. `npm run soak` is the same for as long as one likes. Each run prints the seed that repeats it.
 */
const SECONDS = Number(process.env['SLUICE_JUDGE_SECONDS'] ?? 12);

async function judged(options: Partial<TrialOptions>): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-judge-'));
  const seed = process.env['SLUICE_JUDGE_SEED'] ?? options.seed ?? randomBytes(4).toString('hex');
  const chaos = options.chaos?.join(',') || 'none';
  const again = `npm run soak -- --seed ${seed} --minutes 1 --chaos ${chaos}`;
  const report = await runTrial({
    ...DEFAULTS,
    seconds: SECONDS,
    chaosPauseMs: [1000, 3000],
    ...options,
    seed,
    folder,
    print: () => undefined,
  });
  // With faults planted, failing is what the run is for.
  if (options.faults === undefined) console.log(`${summaryOf(report, again)}\nlogs in ${folder}`);
  return report;
}

test('every move is right, in both gears, for clients in Node and in Python', async () => {
  const kinds = ['alterations', 'ticks', 'timed'] as const;
  const report = await judged({
    seed: 'first',
    python: true,
    eventTrigger: true,
    // A slow machine takes longer to see as much.
    enough: (counts, tokens) =>
      counts.unsettled > 50 && tokens.reached > 0 && kinds.every((kind) => counts[kind] > 0),
  });
  expect(passed(report)).toBe(true);
  expect(report.unsettled).toBeGreaterThan(50);
  expect(report.gears['incremental']).toBeGreaterThan(0);
  expect(report.gears['rerun']).toBeGreaterThan(0);
  for (const kind of kinds) expect(report[kind]).toBeGreaterThan(0);
  expect(report.unnoticed).toBe(0);
  expect(report.tokens.reached).toBeGreaterThan(0);
}, 400_000);

test('and through kill -9, restarts, lost slots and bad networks, with a seed of its own', async () => {
  const report = await judged({
    chaos: [
      'server-kill',
      'server-restart',
      'postgres-kill',
      'slot-drop',
      'database-cut',
      'client-cut',
      'slow-client',
      'synchronous-wait',
    ],
    python: true,
  });
  expect(passed(report)).toBe(true);
  expect(Object.keys(report.chaos).length).toBeGreaterThan(0);
}, 400_000);

test('two servers behind a round-robin proxy, replaced in turn under load', async () => {
  const report = await judged({
    servers: 2,
    chaos: ['rolling-restart'],
    chaosPauseMs: [500, 1500],
    clients: 4,
  });
  expect(passed(report)).toBe(true);
  expect(report.chaos['rolling-restart']).toBeGreaterThan(0);
}, 400_000);

test('quiet faults on the wire are found, each of them', async () => {
  const report = await judged({ clients: 1, views: 6, faults: FAULTS });
  const unfound = Object.keys(FAULTS).filter((fault) => (report.wrongBy[fault] ?? 0) === 0);
  expect(unfound).toEqual([]);
  expect(report.wrongBy['client-0'] ?? 0).toBe(0);
  expect(report.failures.filter((failure) => failure.includes('client-0'))).toEqual([]);
}, 400_000);
