import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createClient } from '@sluice/client';
import { createSluice, query } from '@sluice/server';
import { sharedDatabase } from '@sluice/server/testing/shared';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Random } from '../../kit/random.js';
import { RandomDrizzle } from './drizzle.js';
import { RandomKysely } from './kysely.js';
import { change, makeSchema } from './schema.js';

/*
 * Random queries over random schemas: what a live view holds is what the builder gives when it runs itself, at first and
 * after random changes. `SLUICE_RANDOM_SCHEMAS` says how many schemas, `SLUICE_RANDOM_SEED` from which on.
 */

process.env['TZ'] = 'UTC'; // the driver reads times without a zone as local ones

const SEED = Number(process.env['SLUICE_RANDOM_SEED'] ?? 1);
const SCHEMAS = Number(process.env['SLUICE_RANDOM_SCHEMAS'] ?? 1);
const BUILDERS = 32;
const CHANGES = 3;

interface Runnable extends PromiseLike<unknown> {
  execute?(): Promise<unknown>;
}

/** What the builder gives when it runs itself, as the list of its rows. */
async function own(builder: unknown): Promise<readonly unknown[]> {
  const runnable = builder as Runnable;
  const answer = await ('compile' in runnable ? runnable.execute?.() : runnable);
  const rows: readonly unknown[] = Array.isArray(answer) ? answer : answer === undefined ? [] : [answer];
  return rows.map(plainBytes);
}

/** Bytes are the driver's Buffer there, and Uint8Array here. */
function plainBytes(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plainBytes);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const object: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    Object.defineProperty(object, name, {
      value: plainBytes(item),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}

/** Tells all values apart that `toStrictEqual` does: rows without an order are compared in that of their texts. */
const print = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`;
    if (typeof item !== 'number') return item;
    return Number.isFinite(item) && !Object.is(item, -0)
      ? item
      : `number ${Object.is(item, -0) ? '-0' : item}`;
  });

const sorted = (rows: readonly unknown[], ordered: boolean): readonly unknown[] =>
  ordered ? rows : [...rows].sort((a, b) => (print(a) < print(b) ? -1 : 1));

/** Where two values part first. */
function difference(here: unknown, there: unknown, path: string = ''): string | null {
  if (
    typeof here === 'object' &&
    typeof there === 'object' &&
    here !== null &&
    there !== null &&
    !(here instanceof Date)
  ) {
    for (const name of new Set([...Object.keys(here), ...Object.keys(there)])) {
      const found = difference(Reflect.get(here, name), Reflect.get(there, name), `${path}.${name}`);
      if (found !== null) return found;
    }
    return null;
  }
  if (Object.is(here, there)) return null;
  const told = [here, there].map((value) =>
    value instanceof Date
      ? `Date ${Number(value)}`
      : `${typeof value} ${typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : print(value)}`,
  );
  return told[0] === told[1] ? null : `${path}: here ${told[0]}, there ${told[1]}`;
}

const sqlOf = (builder: unknown): string => {
  const of = builder as { toSQL?(): { sql: string }; compile?(): { sql: string } };
  return (of.toSQL?.() ?? of.compile?.())?.sql ?? '';
};

test.each(Array.from({ length: SCHEMAS }, (_, index) => SEED + index))('seed %i', async (seed) => {
  const random = new Random(seed);
  const snake = random.chance(0.5);
  const made = makeSchema(random, snake);
  const database = await sharedDatabase(made.setup);
  const pool = new pg.Pool({ connectionString: database.adminUrl, max: 2, options: '-c TimeZone=UTC' });
  pool.on('error', () => undefined); // its database goes before it does
  const db = drizzle(pool, { schema: made.schema, ...(snake ? { casing: 'snake_case' } : {}) });
  const kysely = new Kysely<Record<string, Record<string, unknown>>>({
    dialect: new PostgresDialect({ pool }),
  });
  const ofDrizzle = new RandomDrizzle(random, db as never, made);
  const ofKysely = new RandomKysely(random, kysely, made);
  const builders = Array.from({ length: BUILDERS }, (_, index) =>
    (index % 4 === 3 ? ofKysely : ofDrizzle).next(),
  );
  const sluice = createSluice({
    database: database.url,
    logLevel: 'silent',
    graceMs: 0,
    holdMs: 60_000,
    queries: { random: query(z.int(), ({ args }) => builders[args]) },
  });
  const server: Server = createServer();
  sluice.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await sluice.start();
  const { client } = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const wrong: string[] = [];
  try {
    const lives = builders.map((_, index) => client.live({ query: 'random', args: index as never }));
    await Promise.allSettled(lives.map((live) => live.ready));
    const told = new Set<number>();
    for (let changes = 0; changes <= CHANGES; changes++) {
      for (const [index, live] of lives.entries()) {
        if (told.has(index)) continue;
        const before = wrong.length;
        const builder = builders[index];
        const there = await own(builder).catch((error: unknown) => error as Error);
        if (there instanceof Error && live.status === 'error') continue;
        const head = `seed ${seed} #${index} after ${changes}: ${sqlOf(builder)}`;
        if (there instanceof Error) wrong.push(`${head}\n  only here; there ${String(there.cause ?? there)}`);
        else if (live.status !== 'current') {
          wrong.push(
            `${head}\n  ${live.status} ${live.error?.code} ${live.error?.detail} ${String(live.error?.cause)}`,
          );
        } else {
          const ordered = live.shape?.ordered === true;
          try {
            expect(sorted(live.rows, ordered)).toStrictEqual(sorted(there, ordered));
          } catch (error) {
            const [here, expected] = [sorted(live.rows, ordered), sorted(there, ordered)];
            wrong.push(`${head}\n  ${difference(here, expected) ?? (error as Error).message}`);
          }
        }
        if (wrong.length > before) told.add(index);
      }
      if (changes === CHANGES) break;
      for (let writes = 3; writes > 0; writes--) await database.sql(change(random, made));
      const { rows } = await database.sql('SELECT pg_current_wal_insert_lsn() AS lsn');
      await client.reached(String(rows[0]?.['lsn']));
      // What is run again may be behind on a busy machine, and nobody who reaches something waits for it.
      await expect.poll(() => lives.filter(({ status }) => status === 'behind')).toEqual([]);
    }
  } finally {
    client.close();
    await sluice.stop();
    server.close();
    await pool.end();
    await database.drop();
  }
  expect(wrong).toEqual([]);
});
