import { spawn } from 'node:child_process';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Outcome } from './outcome.js';
import type { Tree } from './tree.js';

/** How long a test that a mutant is to fail waits for what does not come; and for one that names no time of its own. */
const PATIENCE_MS = 15_000;
const TEST_MS = 60_000;
const HOOK_MS = 60_000;

/**
 * Runs the tests of one file whose names begin so.
 * @param stop ends the run, and what it has started
 * @returns null when the run had to be cut off at `timeoutMs`.
 */
export async function runTests(
  tree: Tree,
  file: string,
  names: readonly string[],
  timeoutMs: number,
  stop: AbortSignal,
): Promise<readonly Outcome[] | null> {
  const report = join(tree.path, 'outcomes.json');
  await rm(report, { force: true });
  const pattern = `^(${names.map(escaped).join('|')})`;
  const bounds = [`--testTimeout=${TEST_MS}`, `--hookTimeout=${HOOK_MS}`, '--retry=0'];
  const reporter = `--reporter=${join(tree.path, 'test/dist/mutants/reporter.js')}`;
  const vitest = join(tree.path, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', file, '-t', pattern, reporter, ...bounds], {
    cwd: tree.path,
    env: {
      ...process.env,
      SLUICE_OUTCOMES: report,
      SLUICE_TEST_PATIENCE_MS: String(PATIENCE_MS),
      TMPDIR: tree.tmp,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a process group of its own, to be ended with its workers
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-4000)));
  const ended = new Promise<'ended'>((resolve) => child.once('exit', () => resolve('ended')));
  const timer = new AbortController();
  const signal = AbortSignal.any([timer.signal, stop]);
  const late = delay(timeoutMs, 'late' as const, { signal }).catch(() => 'late' as const);
  const first = await Promise.race([ended, late]);
  timer.abort();
  if (first === 'late') {
    if (child.pid !== undefined) end(-child.pid, 'SIGKILL');
    await ended;
  }
  await endServers(tree);
  stop.throwIfAborted();
  if (first === 'late') return null;
  const text = await readFile(report, 'utf8').catch(() => {
    throw new Error(`vitest told nothing of ${file}:\n${said}`);
  });
  return JSON.parse(text) as Outcome[];
}

/** Servers that a run which was cut off has left, by the ids that they wrote down. */
async function endServers(tree: Tree): Promise<void> {
  for (const folder of await readdir(tree.tmp)) {
    const pid = await readFile(join(tree.tmp, folder, 'data', 'postmaster.pid'), 'utf8').catch(() => null);
    if (pid !== null) end(Number(pid.split('\n')[0]), 'SIGQUIT');
    await rm(join(tree.tmp, folder), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended by itself
  }
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
