import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import * as schema from './schema.js';

/** The application's own pool, as before Sluice. */
export const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
// An idle connection that breaks is replaced by the pool; without a listener it would end the process.
pool.on('error', () => undefined);

export const db = drizzle(pool, { schema });
