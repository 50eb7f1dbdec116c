import { PATIENCE_MS } from '@sluice/server/testing/deadline';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { expect, test } from 'vitest';
import { Random } from '../kit/random.js';
import { subscriptionsOf, type Corpus } from './corpus.js';
import { FILM_RENTAL } from './film-rental/film-rental.js';
import { MUSIC_SHOP } from './music-shop/music-shop.js';
import { follow } from './follow.js';
import { Tally } from './tally.js';

// The queries that people write over two data models that many know, all of them live through random writes.
// For longer, and for the SQL of others that is not shipped here: npm run corpora.

const SEED = process.env['SLUICE_SEED'] ?? 'suite';
const ROUNDS = Number(process.env['SLUICE_ROUNDS'] ?? 10);
/** Of the queries: so many in a hundred are maintained incrementally. */
const INCREMENTAL_PERCENT = 95;

test.each<[string, Corpus]>([
  ['a music shop', MUSIC_SHOP],
  ['a film rental', FILM_RENTAL],
])(
  'the queries of %s are live, and nearly all incremental',
  { timeout: 5 * PATIENCE_MS },
  async (name, corpus) => {
    const database = await sharedDatabase(corpus.schema);
    try {
      for (const statement of corpus.rows) await database.sql(statement);
      const tally = new Tally();
      const queries = subscriptionsOf(corpus.queries);
      const wrong = await follow(
        database,
        queries,
        { random: new Random(`${SEED} ${name}`), rounds: ROUNDS },
        tally,
      );
      if (process.env['SLUICE_SHOWN'] !== undefined)
        for (const line of tally.lines({ each: true })) console.log(line);
      expect(wrong).toEqual([]);
      expect(tally.refused).toBe(0);
      expect(tally.open).toBe(0);
      expect((100 * tally.incremental) / queries.length).toBeGreaterThanOrEqual(INCREMENTAL_PERCENT);
      // Nothing is compared that stays the same.
      expect(tally.changed).toBeGreaterThan(queries.length);
    } finally {
      await database.drop();
    }
  },
);
