import { createSluice } from '@sluice/server';
import { createTestDatabase, startTestPostgres, type TestPostgres } from '@sluice/server/testing/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';

// `GET /schema` tells a client no more than its role may SELECT.

const SETUP = `
  CREATE SCHEMA inner_life;
  CREATE TYPE mood AS ENUM ('calm', 'tense');
  CREATE TYPE secret_kind AS ENUM ('x', 'y');
  CREATE TYPE unread AS ENUM ('z');
  CREATE DOMAIN moods AS mood[];
  CREATE TABLE issue (id int PRIMARY KEY, title text NOT NULL, moods moods, kind secret_kind, salary unread);
  CREATE TABLE secret (id int PRIMARY KEY, kind secret_kind);
  CREATE TABLE pair (a int, b int, note text, PRIMARY KEY (a, b));
  CREATE TABLE inner_life.thought (id int PRIMARY KEY);
  CREATE VIEW titles AS SELECT title FROM issue;`;

// A server of its own: the service role's memberships are of the whole server, and whoever shares it would see its
// rights change.
let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.destroy());

interface Schema {
  readonly hash: string;
  readonly tables: readonly {
    readonly name: string;
    readonly primaryKey: unknown;
    readonly columns: readonly { readonly name: string }[];
  }[];
  readonly enums: readonly { readonly name: string }[];
}

test.each([false, true])('a client sees what its role may SELECT (views thread: %s)', async (viewsThread) => {
  const database = await createTestDatabase(server, SETUP);
  const role = `reads_${database.name}`;
  await database.sql(
    `CREATE ROLE ${role}; GRANT ${role} TO sluice_service; CREATE ROLE not_ours_${role};
     GRANT USAGE ON SCHEMA inner_life TO sluice_service;
     GRANT SELECT (id, title, moods) ON issue TO ${role};
     GRANT SELECT (b, note) ON pair TO ${role};
     GRANT SELECT ON titles, inner_life.thought TO ${role}`,
  );
  const sluice = createSluice({
    database: database.url,
    port: 0,
    logLevel: 'silent',
    viewsThread,
    role,
    auth: ({ token }) => {
      if (token === 'broken') throw new Error('canary');
      return token === undefined ? null : { claims: {}, ...(token === 'mine' ? {} : { role: token }) };
    },
  });
  const url = await sluice.listen();
  const ask = (token?: string, origin?: string): Promise<Response> =>
    fetch(`${url}/schema`, {
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(origin === undefined ? {} : { origin }),
      },
    });
  const refused = async (...from: Parameters<typeof ask>): Promise<unknown> => {
    const answer = await ask(...from);
    const text = await answer.text();
    expect(text).not.toMatch(/issue|secret|canary/);
    return [answer.status, (JSON.parse(text) as { error: { code: string } }).error.code];
  };
  try {
    expect(await refused()).toEqual([401, 'unauthorized']);
    expect(await refused('broken')).toEqual([503, 'auth_failed']);
    expect(await refused('nobody')).toEqual([403, 'role_not_usable']);
    expect(await refused(`not_ours_${role}`)).toEqual([403, 'role_not_usable']);
    expect(await refused('mine', 'https://elsewhere.example')).toEqual([403, 'origin_not_allowed']);

    const schema = async (): Promise<Schema> => (await (await ask('mine')).json()) as Schema;
    const first = await schema();
    const columns = ({ tables }: Schema): unknown =>
      tables.map(({ name, primaryKey, columns: list }) => [name, primaryKey, list.map((one) => one.name)]);
    expect(columns(first)).toEqual([
      ['issue', ['id'], ['id', 'title', 'moods']],
      ['pair', null, ['b', 'note']],
      ['titles', null, ['title']],
    ]);
    expect(first.enums).toEqual([{ schema: 'public', name: 'mood', labels: ['calm', 'tense'] }]);

    // What is not shown is not told of by the version either; what is granted is seen within the poll.
    await database.sql('ALTER TABLE secret ADD COLUMN more int');
    await database.sql(
      `GRANT SELECT (kind) ON issue TO ${role}; GRANT USAGE ON SCHEMA inner_life TO ${role}`,
    );
    await expect
      .poll(async () => columns(await schema()))
      .toEqual([
        ['thought', ['id'], ['id']],
        ['issue', ['id'], ['id', 'title', 'moods', 'kind']],
        ['pair', null, ['b', 'note']],
        ['titles', null, ['title']],
      ]);
    expect((await schema()).enums.map(({ name }) => name)).toEqual(['mood', 'secret_kind']);
    await database.sql(
      `REVOKE SELECT (kind) ON issue FROM ${role}; REVOKE ALL ON SCHEMA inner_life FROM ${role}`,
    );
    await expect.poll(schema).toEqual(first);
  } finally {
    await sluice.stop();
    await database.drop();
  }
});
