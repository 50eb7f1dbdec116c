import { configDefaults, defineConfig } from 'vitest/config';

/** As in `packages/server/src/testing/deadline.ts`: what is waited for has this long, and a test several times that. */
const patienceMs = Number(process.env['SLUICE_TEST_PATIENCE_MS'] ?? 60_000);

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/src/**/*.test.{ts,tsx}', 'bench/src/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/src/next/**'],
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['packages/server/src/testing/global-setup.ts'],
    testTimeout: 4 * patienceMs,
    hookTimeout: 4 * patienceMs,
    expect: { poll: { timeout: patienceMs } },
    reporters: ['default'],
  },
});
