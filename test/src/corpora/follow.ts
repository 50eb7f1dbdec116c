import type { TestDatabase } from '@sluice/server/testing/postgres';
import pg from 'pg';
import type { Random } from '../kit/random.js';
import type { Subscribed } from './corpus.js';
import { changeAtRandom, writtenTables } from './random-changes.js';
import type { Tally } from './tally.js';
import { outlive, Watched, type Wrong } from './watched.js';

const STATEMENTS_PER_TRANSACTION = 6;
const TRANSACTIONS_PER_ROUND = 3;

export interface FollowOptions {
  readonly random: Random;
  /** How often all tables are written to, and all answers compared. */
  readonly rounds: number;
}

/** Subscribes to all of them, changes the data underneath, compares with Postgres. @returns what does not hold */
export async function follow(
  database: TestDatabase,
  queries: readonly Subscribed[],
  { random, rounds }: FollowOptions,
  tally: Tally,
): Promise<readonly Wrong[]> {
  const writer = new pg.Client({ connectionString: database.adminUrl });
  outlive(writer);
  await writer.connect();
  const wrong: Wrong[] = [];
  try {
    const all = await writtenTables(writer);
    const tables = all.filter(({ name }) => isNamed(name, queries));
    const watched = await Watched.open(database, queries);
    try {
      const first = await watched.compare();
      tally.kept(watched.kept());
      wrong.push(...first.wrong);
      for (let round = 1; round <= rounds; round++) {
        for (let left = TRANSACTIONS_PER_ROUND; left > 0; left--)
          tally.written(
            await changeAtRandom(
              writer,
              random.chance(0.9) && tables.length > 0 ? tables : all,
              random,
              STATEMENTS_PER_TRANSACTION,
            ),
          );
        const compared = await watched.compare();
        tally.compared(compared);
        wrong.push(...compared.wrong);
      }
      tally.found(wrong);
    } finally {
      await watched.close();
    }
  } finally {
    await writer.end();
  }
  return wrong;
}

/** Writes to what nobody asks for show little. */
function isNamed(table: string, queries: readonly Subscribed[]): boolean {
  const name = new RegExp(String.raw`\b${/[^."]*(?="?$)/.exec(table)?.[0] ?? ''}\b`, 'i');
  return queries.some(({ sql }) => name.test(sql));
}
