import { mkdtemp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sharedDatabase } from '@sluice/server/testing/shared';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Product } from '../kit/product.js';
import { programsOf, runProgram } from './runnable.js';

const root = join(dirname(createRequire(import.meta.url).resolve('@sluice/client')), '..', '..', '..');
const programs = programsOf(await readFile(join(root, 'docs', 'client.md'), 'utf8'));

let database: TestDatabase;
let product: Product;

beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE issue (id integer PRIMARY KEY, project_id integer NOT NULL, title text NOT NULL, rank integer);
    INSERT INTO issue SELECT i, 7 + i % 2, 'issue ' || i, i FROM generate_series(1, 50) i`);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  product = await Product.start({
    databaseUrl: database.url,
    log: join(folder, 'server.log'),
    args: ['--explain'],
  });
});

afterAll(async () => {
  await product?.stop();
  await database?.drop();
});

test('the page has programs', () => {
  expect(programs.length).toBeGreaterThan(3);
});

test.each(programs.map((program) => [program.line, program] as const))(
  'docs/client.md, line %d, runs as it says',
  async (_, program) => {
    const printed = await runProgram(program, {
      replace: { 'http://localhost:4400': `http://127.0.0.1:${product.port}` },
      env: { DATABASE_URL: database.adminUrl },
    });
    if (program.output !== null) expect(printed.trimEnd()).toBe(program.output);
  },
);
