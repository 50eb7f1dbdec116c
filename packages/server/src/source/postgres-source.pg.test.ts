import { afterEach, expect, test } from 'vitest';
import { describeChange, startTestSource, type TestSource } from '../testing/source.js';
import { sharedDatabase } from '../testing/shared.js';
import type { TestDatabase } from '../testing/postgres.js';
import { sees } from './snapshot.js';

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.stop();
});

async function begin(setup: string, options = {}): Promise<TestSource & { readonly db: TestDatabase }> {
  const db = await sharedDatabase(setup);
  open.push({ stop: () => db.drop() });
  const made = await startTestSource(db, options);
  open.push(made);
  return { ...made, db };
}

test('commits come in WAL order, whole, with their position; the first thing told is where the chain begins', async () => {
  const { db, listener, source } = await begin('CREATE TABLE a (id int PRIMARY KEY, t text)');
  expect(listener.restarts).toHaveLength(1);
  await db.sql(`INSERT INTO a VALUES (1, 'x'), (2, NULL)`);
  await db.sql(`BEGIN; UPDATE a SET t = 'y' WHERE id = 1; DELETE FROM a WHERE id = 2; COMMIT`);
  await listener.until(() => listener.transactions.length === 2);
  expect(listener.transactions.map((transaction) => transaction.changes.map(describeChange))).toEqual([
    [
      { insert: 'a', new: ['1', 'x'] },
      { insert: 'a', new: ['2', null] },
    ],
    [
      { update: 'a', identity: 'none', old: null, new: ['1', 'y'] },
      { delete: 'a', identity: 'key', old: ['2', null] },
    ],
  ]);
  const [first, second] = listener.transactions;
  expect(second?.previous).toBeGreaterThanOrEqual(first?.lsn ?? 0n);
  expect(source.position).toBeGreaterThanOrEqual(second?.lsn ?? 0n);
  expect(listener.violations).toEqual([]);
});

test('a fetch reads at a snapshot, and the stream passes all that it saw', async () => {
  const { db, source, listener } = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const { rows } = await db.sql(`SELECT 'a'::regclass::oid::int AS oid`);
  const oid = Number((rows[0] as { oid: number }).oid);
  await db.sql('INSERT INTO a VALUES (1)');
  const fetch = await source.fetch({ tables: [oid] }, async (run) => {
    await db.sql('INSERT INTO a VALUES (2)');
    return (await run('SELECT id FROM a')).rows;
  });
  expect(fetch.result).toEqual([['1']]);
  await source.passed(fetch.upper);
  await listener.until(() => listener.commits.length === 2);
  expect(listener.commits.map(({ xid }) => sees(fetch.snapshot, xid))).toEqual([true, false]);
  expect(fetch.unseen().flatMap((transaction) => transaction.changes.map(describeChange))).toEqual([
    { insert: 'a', new: ['2'] },
  ]);
  fetch.end();
  expect(source.status()).toMatchObject({ openFetches: 0, state: 'streaming' });
});

test('stop leaves no slot behind', async () => {
  const made = await begin('CREATE TABLE a (id int PRIMARY KEY)');
  const { slot } = made.source.status();
  const slots = (): Promise<unknown[]> =>
    made.db
      .sql('SELECT slot_name FROM pg_replication_slots WHERE slot_name = $1', [slot])
      .then((result) => result.rows);
  expect(await slots()).toEqual([{ slot_name: slot }]);
  await made.stop();
  expect(await slots()).toEqual([]);
});
