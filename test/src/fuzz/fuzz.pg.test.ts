import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reasonsWithExamples } from '../docs/sql-page.js';
import { readCase } from './fuzz-case.js';
import { caseOf } from './model.js';
import { replay } from './replay.js';
import { Statistics } from './statistics.js';
import { runTrial } from './trial.js';

// P1 in the engine: whatever was found once, then random schemas, queries and writes, each answer held against Postgres.
// For longer: npm run fuzz.

const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url));
const SEED = process.env['SLUICE_SEED'] ?? 'suite';
const SECONDS = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 12);

let database: TestDatabase;

beforeAll(async () => {
  database = await sharedDatabase();
});
afterAll(() => database.drop());

test('what was found once is right', async () => {
  const files = (await readdir(CORPUS)).filter((name) => name.endsWith('.sql')).toSorted();
  const wrong: Record<string, string> = {};
  let compared = 0;
  for (const [at, file] of files.entries()) {
    const result = await replay(
      database.adminUrl,
      `corpus_${at}`,
      readCase(await readFile(CORPUS + file, 'utf8')),
    );
    if (result.wrong !== null) wrong[file] = result.wrong;
    compared += result.compared;
  }
  expect(wrong).toEqual({});
  expect(compared).toBeGreaterThan(files.length / 2);
});

test('random queries stay equal to Postgres through random writes', async () => {
  const statistics = new Statistics();
  const deadline = Date.now() + SECONDS * 1000;
  const wrong: unknown[] = [];
  // Trials are whole, however slow the machine is.
  for (let trial = 1; trial === 1 || Date.now() < deadline; trial++) {
    const seed = `${SEED}-${trial}`;
    const findings = await runTrial(
      { url: database.adminUrl, seed, queries: 20, transactions: 25, errors: false, deadline: Infinity },
      statistics,
    );
    for (const { model, wrong: why } of findings)
      wrong.push([`npm run fuzz -- --seed ${SEED} --trial ${trial}`, caseOf(model, '').query.sql, why]);
  }
  expect(wrong).toEqual([]);
  expect(statistics.queries.blocks).toBeGreaterThan(statistics.queries.rerun / 4);
  // docs/sql.md has them all.
  const reasons = reasonsWithExamples().map(({ reason }) => reason);
  const untold = [...statistics.reasons.keys()].filter(
    (one) => !reasons.some((known) => one.startsWith(known)),
  );
  expect(untold).toEqual([]);
  expect(statistics.equal).toBeGreaterThan(100);
  expect(statistics.changed / statistics.equal).toBeGreaterThan(0.4);
});
