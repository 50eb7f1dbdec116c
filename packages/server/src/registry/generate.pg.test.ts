import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planningBench, type PlanningBench } from '../testing/planning.js';
import { generateTypeScript } from './generate.js';

let bench: PlanningBench;

beforeAll(async () => {
  bench = await planningBench(`
    CREATE SCHEMA app;
    CREATE TYPE status AS ENUM ('open', 'it''s "closed"');
    CREATE TYPE unused AS ENUM ('x');
    CREATE DOMAIN email AS text NOT NULL;
    CREATE TABLE issue (id bigint PRIMARY KEY, n int NOT NULL, title text, at timestamptz NOT NULL, ok bool,
      status status NOT NULL, states status[], mail email, data jsonb, raw bytea, amount numeric,
      "odd name" int, "__proto__" text, "quo'te" int2, rank float8);
    CREATE TABLE app.issue (id uuid PRIMARY KEY);
    CREATE TABLE "App Issue" (id int PRIMARY KEY);
    CREATE TABLE part (id int PRIMARY KEY) PARTITION BY HASH (id);
    CREATE TABLE part_0 PARTITION OF part FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    CREATE VIEW titles AS SELECT id, title FROM issue;`);
});
afterAll(() => bench.end());

test('an interface for each table, with the values as clients get them', () => {
  const text = generateTypeScript(bench.registry);
  expect(text).toContain(`export type Status = 'open' | 'it\\'s "closed"';`);
  expect(text).toContain(`/** public.issue */
export interface Issue {
  readonly id: bigint;
  readonly n: number;
  readonly title: string | null;
  readonly at: string;
  readonly ok: boolean | null;
  readonly status: Status;
  readonly states: PgArray<Status> | null;
  readonly mail: string | null;
  readonly data: unknown | null;
  readonly raw: Uint8Array | null;
  readonly amount: string | null;
  readonly 'odd name': number | null;
  readonly '__proto__': string | null;
  readonly 'quo\\'te': number | null;
  readonly rank: number | null;
}`);
  expect(text).toContain(`export interface Tables {
  readonly 'app.issue': AppIssue;
  readonly 'public.App Issue': AppIssue2;
  readonly 'public.issue': Issue;
  readonly 'public.part': Part;
  readonly 'public.titles': Titles;
}`);
  expect(text).not.toMatch(/Part0|Unused/);
});

test('compiles', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-generate-'));
  try {
    const file = join(folder, 'tables.ts');
    await writeFile(file, generateTypeScript(bench.registry));
    const tsc = join(
      createRequire(import.meta.url).resolve('@typescript/native/package.json'),
      '..',
      'bin',
      'tsc',
    );
    await promisify(execFile)(process.execPath, [tsc, '--noEmit', '--strict', file], { cwd: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
