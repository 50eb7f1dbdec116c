import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { configKeys } from '@sluice/server/config/keys';
import { documentedCodes, errorsPage } from './errors-page.js';
import { withKeysTable } from './keys-table.js';
import { sqlPage } from './sql-page.js';

const root = join(
  dirname(createRequire(import.meta.url).resolve('@sluice/server/cli/errors')),
  '..',
  '..',
  '..',
  '..',
);
const page = (name: string): Promise<string> => readFile(join(root, 'docs', name), 'utf8');

test('codes are unique, in snake case, and say how to mend', async () => {
  const codes = await documentedCodes(root);
  const names = codes.map(({ code }) => code);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
  expect(codes.filter(({ entry }) => !entry.message || !entry.hint)).toEqual([]);
});

test('docs/errors.md is what the registries say (npm run docs)', async () => {
  expect(await page('errors.md')).toBe(errorsPage(await documentedCodes(root)));
});

test('docs/sql.md is what the planner says (npm run docs)', async () => {
  expect(await page('sql.md')).toBe(sqlPage());
});

test('docs/operations.md lists the keys as they are (npm run docs)', async () => {
  const operations = await page('operations.md');
  expect(operations).toBe(withKeysTable(operations));
});

test('docs/dependencies.md gives the reason for every dependency', async () => {
  const reasons = await page('dependencies.md');
  const missing: string[] = [];
  for (const folder of [
    '.',
    'packages/core',
    'packages/server',
    'packages/client',
    'packages/react',
    'compat/react-18',
    'test',
    'bench',
  ]) {
    const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const names = ['dependencies', 'devDependencies'].flatMap((kind) =>
      Object.keys((manifest[kind] ?? {}) as object),
    );
    missing.push(...names.filter((name) => !name.startsWith('@sluice/') && !reasons.includes(`\`${name}\``)));
  }
  expect(missing).toEqual([]);
});

test('docs/protocol.md gives the limits as they are configured', async () => {
  const limits = (await page('protocol.md')).split('\n## Limits\n')[1]?.split('\n## ')[0] ?? '';
  const shown = new Map(
    [...limits.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  const compared = configKeys().filter(({ key }) => shown.has(key.replace('limits.', '')));
  expect(compared.length).toBeGreaterThan(5);
  for (const { key, fallback } of compared) {
    const [, count, unit] = /^(\d+)(?: (kB|MB))?$/.exec(String(fallback)) ?? expect.fail(key);
    const bytes = { kB: 1024, MB: 1024 ** 2 }[unit ?? ''] ?? 1;
    expect([key, Number(count) * bytes]).toEqual([key, shown.get(key.replace('limits.', ''))]);
  }
});
