import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { db } from './db';
import { task } from './db/schema';

const app = new Hono();

app.get('/api/tasks', async (c) => {
  const project = Number(c.req.query('project'));
  return c.json(await db.select().from(task).where(eq(task.projectId, project)).orderBy(task.id));
});

app.post('/api/tasks/:id/done', async (c) => {
  await db
    .update(task)
    .set({ done: true })
    .where(eq(task.id, Number(c.req.param('id'))));
  return c.body(null, 204);
});

app.use('*', serveStatic({ root: './dist' }));

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000), hostname: '127.0.0.1' });
server.once('listening', () => console.log('listening'));
