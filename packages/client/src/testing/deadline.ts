import { assert } from 'vitest';

/** As everywhere in the tests (`packages/server/src/testing/deadline.ts`). */
export const DEADLINE_MS: number = Number(process.env['SLUICE_TEST_PATIENCE_MS'] ?? 60_000);

/** The work's result; an assertion that fails when it takes too long. */
export async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      try {
        assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    }, DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
