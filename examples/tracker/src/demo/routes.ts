import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type pg from 'pg';
import { z } from 'zod';
import { read } from '../server/app.js';
import { pool } from '../server/database.js';
import type { DemoState, LetGo, SqlAnswer } from '../shared/demo-api.js';
import { LOAD_MAX } from './load-writer.js';
import type { FromApplication } from './messages.js';
import { Truths } from './truth.js';

const SQL_TIMEOUT_MS = 30_000;
const ROWS_SHOWN = 50;

const sqlText = z.strictObject({ sql: z.string().min(1).max(100_000) });
const load = z.strictObject({ perSecond: z.int().min(0).max(LOAD_MAX) });
const toVerify = z.strictObject({
  queries: z.array(z.strictObject({ query: z.string(), args: z.unknown().optional() })).max(50),
});

export interface DemoOptions {
  readonly tell: (message: FromApplication) => void;
  readonly loadPerSecond: number;
}

/**
 * The dock's buttons: for a demonstration only, as they run any SQL and kill the server. The server listens on
 * loopback alone; a page of somebody else's is kept out by its Origin, a name that leads here by its Host.
 */
export function demoRoutes({ tell, loadPerSecond }: DemoOptions): Hono {
  const routes = new Hono();
  const truths = new Truths();
  let current = loadPerSecond;

  routes.use(async (context, next) => {
    const { host } = new URL(context.req.url);
    const origin = context.req.header('origin');
    const own = origin === undefined || origin === `http://${host}`;
    if (!own || !/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host)) throw new HTTPException(403);
    await next();
  });

  routes.get('/state', (context) => {
    const database = publicUrl(process.env['DATABASE_URL'] ?? '');
    return context.json<DemoState>({ pid: process.pid, loadPerSecond: current, database });
  });

  routes.post('/load', async (context) => {
    current = (await read(load, context.req)).perSecond;
    tell({ kind: 'load', perSecond: current });
    return context.json({ perSecond: current });
  });

  routes.post('/kill', (context) => {
    setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    return context.body(null, 202);
  });

  routes.post('/sql', async (context) => {
    const { sql } = await read(sqlText, context.req);
    return context.json<SqlAnswer>(await runSql(sql));
  });

  routes.post('/truth', async (context) => {
    const { queries } = await read(toVerify, context.req);
    return context.json(await truths.take(queries).catch(refused));
  });

  routes.delete('/truth/:id', async (context) =>
    context.json<LetGo>({ held: await truths.letGo(context.req.param('id')) }),
  );
  return routes;
}

async function runSql(sql: string): Promise<SqlAnswer> {
  const client = await pool.connect();
  const begunMs = performance.now();
  try {
    await client.query(`SET statement_timeout = ${SQL_TIMEOUT_MS}`);
    const all = await client.query<unknown[]>({ text: sql, rowMode: 'array' }).catch(refused);
    // Several statements give several results.
    const last = (Array.isArray(all) ? all.at(-1) : all) as pg.QueryArrayResult<unknown[]> | undefined;
    return {
      command: last?.command ?? '',
      rowCount: last?.rowCount ?? 0,
      columns: last?.fields.map(({ name }) => name) ?? [],
      rows: last?.rows.slice(0, ROWS_SHOWN) ?? [],
      tookMs: Math.round(performance.now() - begunMs),
      isOpen: client.getTransactionStatus() !== 'I',
    };
  } finally {
    // What was set, or begun and not ended, goes with the connection.
    client.release(true);
  }
}

/** What Postgres says is for whoever typed it. */
function refused(error: unknown): never {
  throw new HTTPException(400, { message: error instanceof Error ? error.message : 'it failed' });
}

function publicUrl(text: string): string {
  const url = new URL(text);
  url.password = '';
  return url.href;
}
