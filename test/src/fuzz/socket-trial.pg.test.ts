import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { readCase } from './fuzz-case.js';
import { caseOf } from './model.js';
import { onSocketStage } from './shrunk-case.js';
import { replayOverSocket } from './socket-replay.js';
import { runSocketTrial } from './socket-trial.js';
import { Statistics } from './statistics.js';

// P1 through the whole product: what was found once, then random queries live over the socket, against random writes,
// in whatever gear.

const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url));
const SEED = process.env['SLUICE_SEED'] ?? 'socket';
const SECONDS = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 15);

test(
  'what was found once is right over the socket, in whatever manner it is written',
  async () => {
    const files = (await readdir(CORPUS)).filter((name) => name.endsWith('.sql')).toSorted();
    const wrong: Record<string, string> = {};
    let compared = 0;
    await onSocketStage(sharedDatabase, async (stage) => {
      for (const file of files) {
        const one = { ...readCase(await readFile(CORPUS + file, 'utf8')), manner: null };
        const result = await replayOverSocket(stage, one, { errors: true, patienceMs: PATIENCE_MS });
        if (result.wrong !== null) wrong[file] = result.wrong;
        compared += result.compared;
      }
    });
    expect(wrong).toEqual({});
    expect(compared).toBeGreaterThan(files.length);
  },
  4 * PATIENCE_MS,
);

test(
  'random queries over the socket stay equal to Postgres',
  async () => {
    const database = await sharedDatabase();
    const statistics = new Statistics();
    const deadline = Date.now() + SECONDS * 1000;
    const options = { seed: SEED, queries: 30, transactions: 12, deadline };
    const findings = await runSocketTrial(database, options, statistics).finally(() => database.drop());
    expect(findings.map(({ wrong, model }) => [wrong, caseOf(model, '').query.sql])).toEqual([]);
    expect(statistics.equal).toBeGreaterThan(20);
    expect(statistics.gears.incremental).toBeGreaterThan(0);
  },
  4 * PATIENCE_MS,
);
