import { createTestDatabase, startTestPostgres, SERVICE_ROLE } from '@sluice/server/testing/postgres';
import pg from 'pg';
import { expect, test } from 'vitest';
import { checkCorpus } from './any-select/deparse-check.js';
import { FILL, SCHEMA } from './any-select/schema.js';

// The proof that the algebra says what Postgres understood: printed back as SQL, it gives the same answers, for each
// text of the corpus.

/** What has no form in the algebra, with the majors that know it at all. */
const UNKNOWN = [
  'JSONCONSTRUCTOREXPR',
  'JSONEXPR',
  'JSONISPREDICATE',
  'a constant of inet',
  'a constant of int4range',
  'a constant of jsonpath',
  'a constant of regclass',
  'a constant of regconfig',
  'a constant of regtype',
  'tablefunc',
];

/** The others by `SLUICE_TEST_POSTGRES`. */
const MAJOR = Number(process.env['SLUICE_TEST_POSTGRES'] ?? 18);

test.each([MAJOR])(
  'on Postgres %i every SELECT of the corpus is understood, and means the same printed back',
  { timeout: 180_000 },
  async (major) => {
    const server = await startTestPostgres({ major });
    try {
      const schema = major >= 15 ? SCHEMA : SCHEMA.replace(' WITH (security_invoker = on)', '');
      const database = await createTestDatabase(server, schema);
      await fill(database.adminUrl);
      const outcomes = await checkCorpus({
        service: server.url(database.name, SERVICE_ROLE),
        owner: database.adminUrl,
      });
      expect(outcomes.filter(({ kind }) => kind === 'different' || kind === 'unavailable')).toEqual([]);
      const unknown = new Set(
        outcomes.flatMap((outcome) => (outcome.kind === 'unknown' ? outcome.what : [])),
      );
      expect(UNKNOWN).toEqual(expect.arrayContaining([...unknown]));
      expect(outcomes.filter(({ kind }) => kind === 'equal').length).toBeGreaterThanOrEqual(456);
      await database.drop();
    } finally {
      await server.destroy();
    }
  },
);

async function fill(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('SELECT setseed(0.5)');
  for (const statement of FILL) await client.query(statement);
  await client.end();
}
