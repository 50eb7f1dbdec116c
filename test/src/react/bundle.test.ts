import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundleForBrowser } from '../kit/bundle.js';

const entry = createRequire(import.meta.url).resolve('@sluice/react');

test('the hooks weigh less than 3 kB on the wire, beside React and the client', async () => {
  const code = await bundleForBrowser(entry, { external: ['react', '@sluice/client'] });
  const bytes = gzipSync(code).length;
  console.log(`@sluice/react for a browser: ${code.length} bytes, ${bytes} gzipped`);
  expect(bytes).toBeLessThan(3_000);
  expect([...code.matchAll(/from\s*["']([^"']+)["']/g)].map(([, name]) => name).sort()).toEqual([
    '@sluice/client',
    'react',
  ]);
});
