import { createClient, type Client } from '@sluice/client';
import { createSluice } from '@sluice/server';
import {
  createTestDatabase,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';

// C23: rights change without a row being written; answers follow within the catalog poll, at its default of a second.

const SETUP = `
  CREATE TABLE issue (id int PRIMARY KEY, title text);
  INSERT INTO issue VALUES (1, 'one'), (2, 'two');
  CREATE TABLE quiet (id int PRIMARY KEY);
  INSERT INTO quiet VALUES (7);
  CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN (SELECT count(*) FROM issue); END $$;
  CREATE FUNCTION total_of(name text) RETURNS bigint LANGUAGE plpgsql STABLE AS
    $$ DECLARE n bigint; BEGIN EXECUTE format('SELECT count(*) FROM %I', name) INTO n; RETURN n; END $$;`;

const QUERIES = {
  filtered: { sql: 'SELECT id, title FROM issue WHERE id > 0 ORDER BY id' },
  counted: { sql: 'SELECT count(*) AS n FROM issue' },
  inFunction: { sql: 'SELECT total() AS n' },
  inOpaqueFunction: { sql: "SELECT total_of('issue') AS n" },
  elsewhere: { sql: 'SELECT id FROM quiet' },
};

const NAMES = Object.keys(QUERIES);

type Seen = readonly [name: string, status: string, answer: unknown];

// A server of its own: the service role's memberships are of the whole server, and whoever shares it would see its
// rights change.
let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.destroy());

interface Bench {
  readonly database: TestDatabase;
  /** The role that the queries run as: this test's own. */
  readonly role: string;
  /** Each view, its status, and its rows or the code of its error. */
  seen(): Seen[];
  close(): Promise<void>;
}

async function serve(prepare: (role: string) => string): Promise<Bench> {
  const database = await createTestDatabase(server, SETUP);
  const role = `asks_${database.name}`;
  await database.sql(`CREATE ROLE ${role}; GRANT ${role} TO sluice_service; ${prepare(role)}`);
  const sluice = createSluice({
    database: database.url,
    role,
    queries: QUERIES,
    port: 0,
    logLevel: 'silent',
  });
  const { client } = createClient({ url: await sluice.listen(), values: 'text' });
  const views = open(client);
  return {
    database,
    role,
    seen: () => views.map(([name, view]) => [name, view.status, view.error?.code ?? view.rows]),
    close: async () => {
      client.close();
      await sluice.stop();
      await database.drop();
    },
  };
}

function open(client: Client): (readonly [string, ReturnType<Client['live']>])[] {
  return NAMES.map((name) => [name, client.live({ query: name, args: [] })]);
}

const ANSWERS: readonly Seen[] = [
  [
    'filtered',
    'current',
    [
      { id: '1', title: 'one' },
      { id: '2', title: 'two' },
    ],
  ],
  ['counted', 'current', [{ n: '2' }]],
  ['inFunction', 'current', [{ n: '2' }]],
  ['inOpaqueFunction', 'current', [{ n: '2' }]],
  ['elsewhere', 'current', [{ id: '7' }]],
];

function withErrors(codes: Readonly<Record<string, string>>): readonly Seen[] {
  return ANSWERS.map((one) => (codes[one[0]] === undefined ? one : [one[0], 'error', codes[one[0]]]));
}

test('a GRANT to the reader mends the views that it could not read', async () => {
  const bench = await serve(
    (role) => `GRANT SELECT ON issue, quiet TO ${role}; REVOKE SELECT ON issue FROM sluice_service`,
  );
  try {
    // What the opaque function reads is not known, so that the reader is not asked to lock it.
    const unread = {
      filtered: 'permission_denied',
      counted: 'permission_denied',
      inFunction: 'permission_denied',
    };
    await expect.poll(() => bench.seen()).toEqual(withErrors(unread));
    await bench.database.sql('GRANT SELECT ON issue TO sluice_service');
    await expect.poll(() => bench.seen()).toEqual(ANSWERS);
  } finally {
    await bench.close();
  }
});

test('a GRANT to the client role mends what a function was refused, a REVOKE takes the answer back', async () => {
  const bench = await serve((role) => `GRANT SELECT ON quiet TO ${role}`);
  const refused = {
    filtered: 'read_not_permitted',
    counted: 'read_not_permitted',
    inFunction: 'permission_denied',
    inOpaqueFunction: 'permission_denied',
  };
  try {
    await expect.poll(() => bench.seen()).toEqual(withErrors(refused));
    await bench.database.sql(`GRANT SELECT ON issue TO ${bench.role}`);
    // A subscription that was refused is over: the application asks again. A view in error is not.
    const { inFunction: _, inOpaqueFunction: __, ...over } = refused;
    await expect.poll(() => bench.seen()).toEqual(withErrors(over));
    await bench.database.sql(`REVOKE SELECT ON issue FROM ${bench.role}`);
    await expect.poll(() => bench.seen()).toEqual(withErrors(refused));
  } finally {
    await bench.close();
  }
});

test.each([
  ['of the table', (role: string) => `REVOKE SELECT ON issue FROM ${role}`],
  [
    'of a column',
    (role: string) => `REVOKE SELECT ON issue FROM ${role}; GRANT SELECT (title) ON issue TO ${role}`,
  ],
  ['of a role', (role: string) => `REVOKE group_${role} FROM ${role}`],
])('a REVOKE %s ends or fails what was read by it, and nothing else', async (how, revoke) => {
  const bench = await serve((role) =>
    how === 'of a role'
      ? `CREATE ROLE group_${role}; GRANT SELECT ON issue, quiet TO group_${role};
         GRANT group_${role} TO ${role}; GRANT SELECT ON quiet TO ${role}`
      : `GRANT SELECT ON issue, quiet TO ${role}`,
  );
  try {
    await expect.poll(() => bench.seen()).toEqual(ANSWERS);
    await bench.database.sql(revoke(bench.role));
    const gone = { filtered: 'read_not_permitted' };
    // Postgres counts the rows of a table for whoever may read any column of it.
    const counted = {
      counted: 'read_not_permitted',
      inFunction: 'permission_denied',
      inOpaqueFunction: 'permission_denied',
    };
    await expect
      .poll(() => bench.seen())
      .toEqual(withErrors(how === 'of a column' ? gone : { ...gone, ...counted }));
  } finally {
    await bench.close();
  }
});
