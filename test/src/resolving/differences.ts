import { eq, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { sql as kyselySql, type Kysely } from 'kysely';
import type { KyselyTables } from './kysely-builders.js';
import { comments, everything, users, type schema } from './tables.js';

/** Where live rows differ from what the builders give themselves: the table of docs/queries.md. */
export const differences = (db: NodePgDatabase<typeof schema>, kysely: Kysely<KyselyTables>) => ({
  nullInNumerics: () =>
    db
      .select({ nums: sql`ARRAY[1.5, NULL]::numeric[]`.mapWith(everything.nums) })
      .from(everything)
      .limit(1),
  nullInDates: () =>
    db
      .select({ days: sql`ARRAY['2024-02-29', NULL]::date[]`.mapWith(everything.days) })
      .from(everything)
      .limit(1),
  textInJson: () =>
    db
      .select({ json: sql`'"123"'::json`.mapWith(everything.json) })
      .from(everything)
      .limit(1),
  beforeChrist: () =>
    db
      .select({ at: sql`timestamp '0044-03-15 00:00:00 BC'`.mapWith(comments.at) })
      .from(everything)
      .limit(1),
  firstCentury: () =>
    db
      .select({ at: sql`timestamp '0099-12-31 00:00:00'`.mapWith(comments.at) })
      .from(everything)
      .limit(1),
  bytesInRelation: () =>
    db.query.users.findMany({
      where: eq(users.id, 2),
      columns: {},
      with: { thing: { columns: { bytes: true, blobs: true } } },
    }),
  infinite: () =>
    kysely
      .selectFrom('everything')
      .select(kyselySql<Date>`timestamp 'infinity'`.as('at'))
      .limit(1),
});
