import type { SluiceConfig } from '@sluice/server';
import { drizzle } from 'drizzle-orm/node-postgres';
import * as schema from './tables.js';

// A configuration whose `db` knows its schema. It is never connected.
export default { db: drizzle('postgres://nowhere', { schema }) } satisfies SluiceConfig;
