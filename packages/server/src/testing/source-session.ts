import pg from 'pg';
import { within } from './deadline.js';
import { type TestDatabase } from './postgres.js';
import { sharedDatabase } from './shared.js';
import { describeChange, startTestSource, type TestSource } from './source.js';
import type { PostgresSource } from '../source/postgres-source.js';
import type { PostgresSourceOptions } from '../source/source-options.js';
import type { Transaction } from '../source/transaction.js';

/** What ends with the test. */
export const open: { stop(): Promise<unknown> }[] = [];
/** Ends what a test has begun, the latest first. */
export async function endAll(): Promise<void> {
  for (const thing of open.splice(0).reverse()) await thing.stop();
}

export type Begun = TestSource & { readonly db: TestDatabase };

export async function begin(setup: string, options: Partial<PostgresSourceOptions> = {}): Promise<Begun> {
  const db = await sharedDatabase(setup);
  open.push({ stop: () => db.drop() });
  const made = await startTestSource(db, options);
  open.push(made);
  await settled(made.source); // a transaction that a test holds open must not be one from before the slot
  return { ...made, db };
}

/** A session of its own, ended with the test. */
export async function session(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  open.push({ stop: () => client.end().catch(() => undefined) });
  return client;
}

export async function oidOf(db: TestDatabase, table: string): Promise<number> {
  const { rows } = await db.sql('SELECT $1::regclass::oid::int AS oid', [table]);
  return (rows[0] as { oid: number }).oid;
}

/** What changed, transaction by transaction; those that only hold messages (our own marks) are left out. */
export const ids = (transactions: readonly Transaction[]): unknown =>
  transactions.filter(({ changes }) => changes.length > 0).map(({ changes }) => changes.map(describeChange));

/** Until snapshots are exact (the start rule). */
export async function settled(source: PostgresSource): Promise<void> {
  const fetch = await within(
    'settled',
    source.fetch({ tables: [] }, () => Promise.resolve(null)),
  );
  fetch.end();
}
