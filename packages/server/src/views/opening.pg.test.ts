// A view that is opened while the schema changes: nobody plans it anew before it is there.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestDatabase } from '../testing/postgres.js';
import { sharedDatabase } from '../testing/shared.js';
import { startViews, type RunningViews } from '../testing/views.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await sharedDatabase(`
    CREATE TABLE early (id int PRIMARY KEY, kind int NOT NULL);
    CREATE TABLE late (id int PRIMARY KEY, kind int NOT NULL);
    INSERT INTO early VALUES (1, 1), (2, 1); INSERT INTO late VALUES (1, 1), (2, 1);`);
});
afterAll(() => database.drop());

test('the schema changes after the plan was made', async () => {
  let isPlanned = (): void => undefined;
  let goOn = (): void => undefined;
  const planned = new Promise<void>((resolve) => (isPlanned = resolve));
  const released = new Promise<void>((resolve) => (goOn = resolve));
  const views = await startViews(
    database,
    {},
    {
      planned: () => {
        isPlanned();
        return released;
      },
    },
  );
  const opening = views.open('SELECT * FROM early WHERE kind = $1', ['1']);
  await planned;
  await database.sql('ALTER TABLE early ADD COLUMN extra int NOT NULL DEFAULT 4');
  await views.schemaChanged();
  goOn();
  const view = await opening;
  await view.shows([
    ['1', '1', '4'],
    ['2', '1', '4'],
  ]);
  await views.stop();
});

test('Postgres knows of a change that the registry does not know of yet', async () => {
  const views = await startViews(database);
  const before = await views.open('SELECT * FROM late WHERE kind = $1', ['1']);
  await before.shows([
    ['1', '1'],
    ['2', '1'],
  ]);
  await database.sql('ALTER TABLE late ADD COLUMN extra int NOT NULL DEFAULT 4');
  const other = 'SELECT *, kind AS again FROM late WHERE kind = $1';
  const view = await views.open(other, ['1']);
  await view.shows([
    ['1', '1', '4', '1'],
    ['2', '1', '4', '1'],
  ]);
  // The same catalog as at first: no plan from in between is taken for one of then.
  await database.sql('ALTER TABLE late DROP COLUMN extra');
  await views.schemaChanged();
  const after = await views.open('SELECT * FROM late WHERE kind = $1', ['1']);
  await after.shows([
    ['1', '1'],
    ['2', '1'],
  ]);
  const again = await views.open(other, ['1']);
  await again.shows([
    ['1', '1', '1'],
    ['2', '1', '1'],
  ]);
  expect(views.events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  await views.stop();
});

test('the stream tells of DDL while the query is planned, before anybody has read the catalog', async () => {
  const own = await sharedDatabase(
    'CREATE TABLE told (id int PRIMARY KEY); INSERT INTO told VALUES (1), (2);',
  );
  await own.publish({ eventTrigger: true });
  let isPlanned = (): void => undefined;
  let goOn = (): void => undefined;
  const planned = new Promise<void>((resolve) => (isPlanned = resolve));
  const released = new Promise<void>((resolve) => (goOn = resolve));
  let isTold = false;
  const views: RunningViews = await startViews(
    own,
    {},
    {
      // As the server has it: what the stream has told of is read before anything is planned.
      schemaKnown: () => (isTold ? views.schemaChanged() : Promise.resolve()),
      planned: () => {
        isPlanned();
        return released;
      },
    },
  );
  const opening = views.open('SELECT * FROM told WHERE id < $1', ['9']);
  await planned;
  await own.sql('ALTER TABLE told ADD COLUMN extra int NOT NULL DEFAULT 4');
  const { rows } = await own.sql(
    `SELECT pg_current_wal_insert_lsn() - '0/0' AS lsn FROM pg_logical_emit_message(true, 'sluice.test', '')`,
  );
  const { lsn } = (rows as { lsn: string }[])[0] ?? { lsn: '' };
  await views.until((position) => position >= BigInt(lsn));
  isTold = true;
  goOn();
  const view = await opening;
  await view.shows([
    ['1', '4'],
    ['2', '4'],
  ]);
  await views.stop();
  await own.drop();
});
