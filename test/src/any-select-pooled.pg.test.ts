import { analyse } from '@sluice/server/analysis/analyse';
import { deparse } from '@sluice/server/analysis/deparse';
import { createTestDatabase, SERVICE_ROLE, startTestPostgres } from '@sluice/server/testing/postgres';
import pg from 'pg';
import { expect, test } from 'vitest';
import { findPgbouncer, startPgbouncer } from './kit/pgbouncer.js';

const found = findPgbouncer();

/** What another application may leave behind on a connection that the pooler then gives to us. */
const LEFT = `SET search_path = nowhere; SET standard_conforming_strings = off; SET default_transaction_read_only = on;
  SET check_function_bodies = on; SET quote_all_identifiers = on; SET timezone = 'America/New_York'; SET statement_timeout = '1h'`;

// CI has no PgBouncer: `apt-get install pgbouncer` to run it.
test.skipIf(found === null)(
  'queries are analysed through a pooler in transaction mode, side by side',
  async () => {
    const server = await startTestPostgres();
    try {
      const database = await createTestDatabase(
        server,
        'CREATE TABLE item (id int PRIMARY KEY, at timestamptz, name text)',
      );
      const pooler = await startPgbouncer(found?.path ?? '', server.port, [SERVICE_ROLE]);
      const pooled = database.url.replace(`:${server.port}/`, `:${pooler.port}/`);
      const pool = new pg.Pool({ connectionString: pooled, max: 6 });
      try {
        const texts = Array.from({ length: 30 }, async (_, n) => {
          await pool.query(LEFT);
          const sql = `SELECT name FROM item WHERE at > '2024-01-01' AND name = 'a\\b' AND id > ${n}`;
          const analysis = await analyse(pool, { sql, paramTypes: [], schemas: ['public'] });
          return analysis.kind === 'analysed' ? deparse(analysis.query, analysis.facts) : analysis.reason;
        });
        expect(await Promise.all(texts)).toEqual(
          texts.map(
            (_, n) =>
              `SELECT "#1"."name" AS "name" FROM "public"."item" AS "#1" WHERE (("#1"."at" OPERATOR("pg_catalog".>) ` +
              `'2024-01-01 00:00:00+00'::"pg_catalog"."timestamptz") AND ("#1"."name" OPERATOR("pg_catalog".=)  E'a\\\\b'::"pg_catalog"."text") ` +
              `AND ("#1"."id" OPERATOR("pg_catalog".>) '${n}'::"pg_catalog"."int4"))`,
          ),
        );
        const { rows } = await database.sql(
          `SELECT count(*)::int AS n FROM pg_proc WHERE proname = 'sluice_plan'`,
        );
        expect(rows).toEqual([{ n: 0 }]);
      } finally {
        await pool.end();
        await pooler.stop();
      }
    } finally {
      await server.destroy();
    }
  },
);
