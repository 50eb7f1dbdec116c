import { fail } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What a test may wait for, at most, when it does not say otherwise: far more than it takes, for a machine that does
 * much else; what fails without it fails all the same, only later. Who runs tests that are to fail asks for less.
 */
export const PATIENCE_MS: number = Number(process.env['SLUICE_TEST_PATIENCE_MS'] ?? 60_000);
const LOOK_AGAIN_MS = 10;

/**
 * The work's result; an assertion that fails when it takes too long. A test that waits for ever tells nothing: that
 * what it waits for does not come is what it has found.
 * @param what is waited for, or what there is instead when it has not come
 */
export async function within<T>(
  what: string | (() => string),
  work: Promise<T>,
  limitMs: number = PATIENCE_MS,
): Promise<T> {
  const timer = new AbortController();
  const late = delay(limitMs, undefined, { signal: timer.signal, ref: false }).then(() =>
    fail(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`),
  );
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

/** Looks until it is so; an assertion that fails when it never is. */
export async function until(
  done: () => boolean | Promise<boolean>,
  limitMs: number = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await within(String(done), Promise.resolve(done()), limitMs))) {
    if (performance.now() > end) fail(`not within ${limitMs} ms: ${String(done)}`);
    await delay(LOOK_AGAIN_MS);
  }
}
