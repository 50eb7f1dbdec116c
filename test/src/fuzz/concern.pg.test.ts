import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { withClient } from '@sluice/server/testing/postgres';
import { runConcernTrial, type Counts } from './concern-trial.js';

// C9: what the predicates lifted from a query say of a change is true, of random queries and writes.

const SEED = process.env['SLUICE_SEED'] ?? 'concern';
const SECONDS = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 12);

test(
  'what does not concern an answer leaves it as it is',
  async () => {
    const database = await sharedDatabase();
    await withClient(database.adminUrl, (client) => client.query('CREATE PUBLICATION sluice FOR ALL TABLES'));
    const counts: Counts = { spared: 0, concerned: 0, changed: 0, queries: 0, lifted: 0 };
    const wrong: unknown[] = [];
    const deadline = Date.now() + SECONDS * 1000;
    for (let trial = 1; Date.now() < deadline; trial++) {
      const options = {
        url: database.adminUrl,
        seed: `${SEED}-${trial}`,
        queries: 40,
        transactions: 6,
        deadline,
      };
      const found = await runConcernTrial(options, counts);
      wrong.push(...found.map((one) => `${options.seed}: ${one}`));
    }
    await database.drop();
    expect(wrong).toEqual([]);
    expect(counts.lifted).toBeGreaterThan(10);
    expect(counts.spared).toBeGreaterThan(50);
    expect(counts.changed).toBeGreaterThan(10);
  },
  4 * PATIENCE_MS,
);
