import { createClient, type Client } from '@sluice/client';
import { createSluice } from '@sluice/server';
import { createTestDatabase, startTestPostgres, type TestDatabase } from '@sluice/server/testing/postgres';

export interface SchemaStage {
  readonly database: TestDatabase;
  readonly client: Client;
}

/**
 * A database on a Postgres of its own, served with the catalog polled often, and a client of it that sees texts.
 * @param setup of the database
 */
export async function onSchemaStage(
  setup: string,
  { eventTrigger }: { readonly eventTrigger: boolean },
  work: (stage: SchemaStage) => Promise<void>,
): Promise<void> {
  const server = await startTestPostgres();
  const database = await createTestDatabase(server, setup);
  if (eventTrigger) await database.publish({ eventTrigger });
  const sluice = createSluice({
    database: database.url,
    allowSql: true,
    port: 0,
    logLevel: 'silent',
    pollMs: 100,
  });
  const { client } = createClient({ url: await sluice.listen(), values: 'text' });
  try {
    await work({ database, client });
  } finally {
    client.close();
    await sluice.stop();
    await database.drop();
    await server.destroy();
  }
}
