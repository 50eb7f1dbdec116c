import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createClient } from '@sluice/client';
import { expect, test } from 'vitest';

const dist = dirname(createRequire(import.meta.url).resolve('@sluice/client'));
const page = await readFile(join(dist, '..', '..', '..', 'docs', 'client.md'), 'utf8');

/** Members that other parts of the client call, not the application. */
const INTERNAL = ['constructor', 'receive', 'rowsChanged', 'tellListeners'];

const publicMembers = (object: object): readonly string[] =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => !INTERNAL.includes(name));

test('docs/client.md has every name that the package exports', async () => {
  const declarations = await readFile(join(dist, 'index.d.ts'), 'utf8');
  const names = [...declarations.matchAll(/\{([^}]*)\}/g)]
    .flatMap((match) => (match[1] ?? '').split(','))
    .map((name) => name.replace('type ', '').trim())
    .filter((name) => name !== '');
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
});

test('docs/client.md has every member of the client and of a live view', () => {
  const { client } = createClient({ url: 'http://127.0.0.1:9' });
  const live = client.live({ sql: 'SELECT 1' });
  const members = [...publicMembers(client), ...publicMembers(live)];
  client.close();
  expect(members.length).toBeGreaterThan(15);
  expect(members.filter((name) => !new RegExp(`\`(client\\.)?${name}\\b`).test(page))).toEqual([]);
});
