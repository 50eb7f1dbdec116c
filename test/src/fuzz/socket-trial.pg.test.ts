import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { runSocketTrial } from './socket-trial.js';
import { Statistics } from './statistics.js';

// P1 through the whole product: random queries live over the socket, against random writes, in whatever gear.

const SEED = process.env['SLUICE_SEED'] ?? 'socket';
const SECONDS = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 15);

test(
  'random queries over the socket stay equal to Postgres',
  async () => {
    const database = await sharedDatabase();
    const statistics = new Statistics();
    const deadline = Date.now() + SECONDS * 1000;
    const options = { seed: SEED, queries: 30, transactions: 12, deadline };
    const wrong = await runSocketTrial(database, options, statistics).finally(() => database.drop());
    expect(wrong).toEqual([]);
    expect(statistics.equal).toBeGreaterThan(20);
    expect(statistics.gears.incremental).toBeGreaterThan(0);
  },
  4 * PATIENCE_MS,
);
