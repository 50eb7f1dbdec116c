import { defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** What `npm test` leaves out: it installs Next.js, some 400 MB. */
export default defineConfig({ test: { ...base.test, include: ['test/src/next/*.test.ts'], exclude: [] } });
