import { afterAll, expect, test } from 'vitest';
import { QueryFollower, type FollowedQuery } from '../../testing/following-queries.js';

/*
 * Under a collation of ICU only Postgres knows the order of texts. It is asked for the places of those that are met, and
 * the rest of the work is the engine's own.
 */

const QUERIES: readonly FollowedQuery[] = [
  ['SELECT id, title FROM issues ORDER BY title, id'],
  ['SELECT id, title FROM issues ORDER BY title DESC NULLS LAST, id LIMIT 3'],
  ["SELECT id FROM issues ORDER BY title || '!', id DESC LIMIT 2 OFFSET 1"],
  ['SELECT id FROM issues WHERE title < $1', ['ç'], ['text']],
  [
    'SELECT id FROM issues WHERE title BETWEEN $1 AND $2 OR title >= $3',
    ['b', 'i', 'z'],
    ['text', 'text', 'text'],
  ],
  ['SELECT id FROM issues WHERE title = $1', ['I'], ['text']],
  ['SELECT DISTINCT title FROM issues ORDER BY title'],
  ['SELECT title, count(*) FROM issues GROUP BY title ORDER BY title DESC LIMIT 4'],
  ['SELECT project_id, min(title), max(title) FROM issues GROUP BY project_id'],
  ['SELECT project_id, max(title) AS m FROM issues GROUP BY project_id ORDER BY m, project_id'],
  ["SELECT id, greatest(title, $1), least(title, $1, 'é') FROM issues", ['i'], ['text']],
  ["SELECT project_id, string_agg(title, ',' ORDER BY title, id) FROM issues GROUP BY project_id"],
  ['SELECT id, rank() OVER (ORDER BY title), count(*) OVER (PARTITION BY title) FROM issues'],
  ['SELECT id, lag(title) OVER (ORDER BY title, id), max(title) OVER (ORDER BY id) FROM issues'],
  ['SELECT DISTINCT ON (title) title, id FROM issues ORDER BY title, id DESC'],
  ['SELECT id FROM issues ORDER BY title COLLATE "C", id'],
  ['SELECT id FROM issues ORDER BY title COLLATE "de-x-icu" DESC, title COLLATE "sv-x-icu", id'],
  ['SELECT id FROM issues WHERE title COLLATE "tr-x-icu" < $1', ['j'], ['text']],
  [
    'SELECT u.name, i.title FROM users u LEFT JOIN issues i ON i.assignee_id = u.id ORDER BY u.name, u.id, i.title, i.id',
  ],
  [
    'SELECT p.name, (SELECT min(i.title) FROM issues i WHERE i.project_id = p.id) FROM projects p ORDER BY p.name, p.id',
  ],
  [
    'SELECT p.id, l.title FROM projects p CROSS JOIN LATERAL (SELECT i.title FROM issues i WHERE i.project_id = p.id ORDER BY i.title, i.id LIMIT 1) l',
  ],
  ['SELECT id FROM issues i WHERE EXISTS (SELECT FROM users u WHERE u.name > i.title)'],
];

const TEXTS = [
  'i',
  'I',
  'ı',
  'İ',
  'ß',
  'ss',
  'ä',
  'z',
  'Z',
  'Öl',
  'ol',
  'é',
  'e',
  'ch',
  'c',
  'ç',
  '😀',
  'ｚ',
  '-a',
  'a b',
  'a-b',
  'ab',
  '',
  '10',
  '9',
];

const followers: QueryFollower[] = [];
afterAll(async () => {
  for (const follower of followers) await follower.stop();
});

test.each([
  `LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'`,
  `LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'`,
  `LOCALE_PROVIDER icu ICU_LOCALE 'de-DE-u-co-phonebk-kf-upper' LOCALE 'C'`,
  `LOCALE_PROVIDER libc LOCALE 'C.utf8'`,
])(
  'texts are ordered as Postgres does: %s',
  async (locale) => {
    const follower = await QueryFollower.start({ locale, texts: TEXTS });
    followers.push(follower);
    const { changed, untold, missed, reasons } = await follower.follow(QUERIES, 60);
    expect([reasons, untold]).toEqual([{}, 0]);
    expect(changed).toBeGreaterThan(200);
    // Once for each text that is met, at most.
    expect(missed).toBeLessThan(QUERIES.length * TEXTS.length);
  },
  120_000,
);

test('case under a Turkic locale is left to Postgres, and non-deterministic collations are', async () => {
  const locale = `LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'`;
  const follower = await QueryFollower.start({ locale });
  followers.push(follower);
  const reason = 'It changes the case of text under a Turkic locale, which has two letters i.';
  for (const sql of ['lower(title)', 'upper(title)', "title ILIKE 'I%'"])
    expect(await follower.plan([`SELECT ${sql} FROM issues`])).toBe(reason);
  expect(await follower.plan(['SELECT lower(title COLLATE "C") FROM issues'])).toBeTypeOf('object');
});
