import { readFile } from 'node:fs/promises';
import { freePort } from '@sluice/server/embedded/embedded-postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blocksOf } from './blocks.js';
import { programsOf, runProgram } from './runnable.js';

const root = new URL('../../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');
const page = await read('docs/queries.md');

let database: TestDatabase;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, owner_id int, title text NOT NULL,
      created timestamp NOT NULL);
    INSERT INTO users VALUES (1, 'Ada');
    INSERT INTO issue VALUES (1, 7, 1, 'First', '2024-02-29 12:00:00.5'), (2, 7, NULL, 'Second', '2024-03-01')`);
});
afterAll(() => database.drop());

test('the program of docs/queries.md, all of it, prints what the page says', async () => {
  const programs = programsOf(page);
  expect(programs).toHaveLength(1);
  for (const program of programs) {
    const ports = await Promise.all(
      ['3000', '3001', '3002', '3003'].map(async (port) => [port, String(await freePort())]),
    );
    const printed = await runProgram(program, {
      replace: Object.fromEntries(ports) as Record<string, string>,
      env: { DATABASE_URL: database.url, SLUICE_LOG_LEVEL: 'silent' },
    });
    expect(printed.trimEnd()).toBe(program.output);
  }
});

test('the excerpt is of the program that the tests run', async () => {
  const program = await read('test/python/resolver.py');
  const excerpts = blocksOf(page).filter(({ info }) => info.includes('excerpt'));
  expect(excerpts).toHaveLength(1);
  for (const { text } of excerpts) expect(program).toContain(text.trim());
});
