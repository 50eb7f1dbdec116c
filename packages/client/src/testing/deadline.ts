import { assert } from 'vitest';

const DEADLINE_MS = 10_000;

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
