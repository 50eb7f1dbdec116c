import { afterEach, expect, test } from 'vitest';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { startViews, type RunningViews, type RunningViewsOptions } from '../testing/views.js';

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

const GERMAN = `TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C'`;
/** Texts in use, and what is kept beyond twice as many before it is trimmed. */
const [ROWS, SPARE] = [4000, 1000];
const QUERY = `SELECT t.team, p.name, t.last
  FROM (SELECT team, max(name) AS last FROM person GROUP BY team) t JOIN person p ON p.team = t.team
  WHERE p.name >= $1 ORDER BY p.name DESC, p.id LIMIT 300`;

async function startTeams(options: RunningViewsOptions = {}): Promise<void> {
  database = await sharedDatabase(
    `CREATE TABLE person (id int PRIMARY KEY, team int, name text);
     INSERT INTO person SELECT at, at % 10 + 1, 'Ä' || at FROM generate_series(1, ${ROWS}) AS at`,
    GERMAN,
  );
  views = await startViews(database, { rowsPerViewMax: 2 * ROWS }, options);
}

/** What Postgres answers. */
async function answer(from: string): Promise<unknown[]> {
  const { rows } = await database.sql(QUERY, [from]);
  return rows.map((row: Readonly<Record<string, unknown>>) => Object.values(row).map(String));
}

test('P6: a view whose texts change 100,000 times holds no more than twice those that it needs, and stays exact', async () => {
  await startTeams();
  const view = await views.open(QUERY, ['a']);
  const other = await views.open(QUERY, ['ä']);
  expect([view.gear, view.reason]).toEqual(['incremental', undefined]);
  await view.shows(await answer('a'));
  const bytes: number[] = [];
  for (let round = 0; round < 25; round++) {
    // In other places each time: beside what is held, and where something was that is gone.
    await database.sql(
      `UPDATE person SET name = chr(97 + (id * 7 + ${round}) % 26) || md5((id * ${round + 1})::text)`,
    );
    await view.shows(await answer('a'));
    await other.shows(await answer('ä'));
    const { heldTexts, heldBytes } = views.host.status();
    // What was in use, as much again and some, and what one round brings.
    expect(heldTexts).toBeLessThanOrEqual(2 * (ROWS + 2) + SPARE + ROWS);
    bytes.push(heldBytes);
  }
  expect(Math.max(...bytes.slice(12))).toBeLessThan(1.2 * Math.max(...bytes.slice(0, 12)));
  expect(views.host.status()).toMatchObject({ incremental: 2, rerun: 0 });
  expect(views.events.filter(({ kind }) => kind === 'handed_over' || kind === 'failed')).toEqual([]);
});
