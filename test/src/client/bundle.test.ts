import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bundleForBrowser } from '../kit/bundle.js';

const entry = createRequire(import.meta.url).resolve('@sluice/client');

test('the whole client weighs less than 17 kB on the wire, and brings no WebSocket of its own', async () => {
  const code = await bundleForBrowser(entry);
  const bytes = gzipSync(code).length;
  console.log(`@sluice/client for a browser: ${code.length} bytes, ${bytes} gzipped`);
  expect(bytes).toBeLessThan(17_000);
  expect(code).not.toMatch(/import\s*\(|require\(|from\s*["']/);
  expect(code).not.toContain('Sec-WebSocket-Key');
});
