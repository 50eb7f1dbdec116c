import { createClient, type Client } from '@sluice/client';
import { createSluice, type QueryText, type Sluice } from '@sluice/server';
import type { TestDatabase } from '@sluice/server/testing/postgres';
import { World } from './world.js';

const EMPTIED = `
  DO $$ DECLARE names text = (SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r');
  BEGIN IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names; END IF; END $$`;

/**
 * The whole product over one database: a server, and a client of it that sees texts. The tables can be made anew as
 * often as needed: DDL is told in the stream, so that what is subscribed to after `publish` is planned over these.
 */
export class SocketStage {
  readonly client: Client;
  readonly #database: TestDatabase;
  readonly #sluice: Sluice;
  /** The statements that made what is there; null when some of them may have failed. */
  #schema: string | null = null;
  #isPublished = false;

  private constructor(database: TestDatabase, sluice: Sluice, client: Client) {
    this.#database = database;
    this.#sluice = sluice;
    this.client = client;
  }

  /** @param database without tables, which stays when the stage is closed */
  static async open(database: TestDatabase): Promise<SocketStage> {
    await database.publish({ eventTrigger: true });
    const sluice = createSluice({
      database: database.url,
      port: 0,
      logLevel: 'silent',
      queries: { any: ({ args }) => args as QueryText & { readonly params: readonly unknown[] } },
    });
    const { client } = createClient({ url: await sluice.listen(), values: 'text' });
    return new SocketStage(database, sluice, client);
  }

  async close(): Promise<void> {
    this.client.close();
    await this.#sluice.stop();
  }

  /**
   * Leaves nothing in the database but what these statements make; tables that are those of last time are emptied.
   * Nothing may be subscribed to.
   * @returns what has to be closed
   * @throws what Postgres says of statements that are none
   */
  async furnish(schema: readonly string[]): Promise<World> {
    const text = schema.join(';\n');
    const isSame = text === this.#schema;
    this.#schema = null;
    this.#isPublished &&= isSame;
    const anew = ['DROP SCHEMA public CASCADE', 'CREATE SCHEMA public', ...schema];
    const world = await World.within(this.#database.adminUrl, 'public', isSame ? [EMPTIED] : anew);
    this.#schema = text;
    return world;
  }

  /** What has been furnished can be subscribed to. */
  async publish(world: World, patienceMs: number): Promise<void> {
    if (!this.#isPublished) await this.#database.publish();
    this.#isPublished = true;
    await this.reach(world, patienceMs);
  }

  /** The client has seen what is committed. @throws (rejects) SluiceError `reached_timeout` */
  async reach(world: World, patienceMs: number): Promise<void> {
    const { rows } = await world.client.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn');
    await this.client.reached(rows[0]?.lsn ?? '', { timeoutMs: patienceMs });
  }
}
