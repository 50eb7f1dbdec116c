import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { app } from '../server/app.js';
import { pool } from '../server/database.js';
import { sluice } from '../server/sluice.js';
import type { FromApplication } from './messages.js';
import { demoRoutes } from './routes.js';
import { inWords } from './said.js';

/** The application as the demo runs it: its routes, its page, and the dock's buttons. */
const folder = process.env['TRACKER_PAGE'] ?? '';
const all = new Hono();
all.route('/', app);
all.route('/demo', demoRoutes({ tell, loadPerSecond: Number(process.env['TRACKER_LOAD'] ?? 0) }));
// Names of assets have a hash of their content; the page itself is looked at anew each time.
all.use('/assets/*', async (context, next) => {
  await next();
  context.header('cache-control', 'public, max-age=31536000, immutable');
});
all.use('*', serveStatic({ root: folder }));
all.get('*', serveStatic({ path: join(folder, 'index.html') }));

const server = serve({
  fetch: all.fetch,
  // The dock runs SQL: nobody but this machine may reach it.
  hostname: '127.0.0.1',
  port: Number(process.env['PORT']),
});
if ('closeAllConnections' in server) {
  sluice.attach(server);
  process.on('SIGINT', () => undefined); // Ctrl-C reaches every process of the terminal; the supervisor ends this one
  process.once('SIGTERM', () => void stop());
  process.once('disconnect', () => void stop());
}

async function stop(): Promise<void> {
  await sluice.stop();
  await pool.end();
  process.exit(0);
}

function tell(message: FromApplication): void {
  process.send?.(message);
}

try {
  await sluice.start();
  tell({ kind: 'ready' });
} catch (error) {
  tell({ kind: 'failed', message: inWords(error) });
  process.exitCode = 1;
  process.disconnect();
}
