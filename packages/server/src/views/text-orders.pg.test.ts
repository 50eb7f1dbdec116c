import { afterEach, expect, test } from 'vitest';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { startViews, type RunningViews } from '../testing/views.js';

// A database whose texts are ordered as only Postgres knows: the order is asked for, the rest is incremental.

let database: TestDatabase;
let views: RunningViews;

afterEach(async () => {
  await views.stop();
  await database.drop();
});

test('C16: names are ordered as ICU does, in one table and in several, and a new one finds its place', async () => {
  database = await sharedDatabase(
    `CREATE TABLE person (id int PRIMARY KEY, team int, name text);
     INSERT INTO person VALUES (1, 1, 'Zoë'), (2, 1, 'ärger'), (3, 1, 'Bo'), (4, 2, 'bo');`,
    `TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C'`,
  );
  views = await startViews(database, {});
  const list = await views.open('SELECT name FROM person ORDER BY name, id');
  const top = await views.open(
    `SELECT team, max(name) AS last FROM person WHERE name >= $1 GROUP BY team ORDER BY last DESC`,
    ['a'],
  );
  expect([list.gear, list.reason, top.gear, top.reason]).toEqual([
    'incremental',
    undefined,
    'incremental',
    undefined,
  ]);
  await list.shows([['ärger'], ['bo'], ['Bo'], ['Zoë']]);
  await top.shows([
    ['1', 'Zoë'],
    ['2', 'bo'],
  ]);
  await database.sql(`INSERT INTO person VALUES (5, 2, 'Åsa'), (6, 2, 'zoe')`);
  await list.shows([['ärger'], ['Åsa'], ['bo'], ['Bo'], ['zoe'], ['Zoë']]);
  await top.shows([
    ['1', 'Zoë'],
    ['2', 'zoe'],
  ]);
  const missed = views.events.filter(({ kind }) => kind === 'missed').length;
  await database.sql(`UPDATE person SET name = 'Åsa' WHERE id = 1; DELETE FROM person WHERE id = 3`);
  await list.shows([['ärger'], ['Åsa'], ['Åsa'], ['bo'], ['zoe']]);
  await top.shows([
    ['2', 'zoe'],
    ['1', 'Åsa'],
  ]);
  // Known texts cost nothing.
  expect(views.events.filter(({ kind }) => kind === 'missed').length).toBe(missed);
});
