import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { STATUSES } from '../shared/vocabulary.js';
import { db } from './database.js';
import { comment, issue } from './schema.js';
import { sluice } from './sluice.js';

/** There is no login: everybody is the first member. */
const ME = 1;

const change = z.strictObject({
  status: z.enum(STATUSES).optional(),
  priority: z.int().min(0).max(4).optional(),
  assigneeId: z.int().nullable().optional(),
  title: z.string().trim().min(1).max(300).optional(),
});
const newComment = z.strictObject({ body: z.string().trim().min(1).max(10_000) });

/** The application's own routes, as they are without Sluice: the one addition is the token of each write. */
export const app = new Hono();

app.use(csrf());

app.patch('/api/issues/:id', async (context) => {
  const id = idOf(context.req.param('id'));
  const set = await read(change, context.req);
  const token = await db.transaction(async (tx) => {
    if (Object.keys(set).length > 0) await tx.update(issue).set(set).where(eq(issue.id, id));
    return sluice.token(tx);
  });
  return context.json({ token });
});

app.post('/api/issues/:id/comments', async (context) => {
  const issueId = idOf(context.req.param('id'));
  const { body } = await read(newComment, context.req);
  const token = await db.transaction(async (tx) => {
    await tx.insert(comment).values({ issueId, authorId: ME, body });
    return sluice.token(tx);
  });
  return context.json({ token }, 201);
});

function idOf(text: string): number {
  const id = Number(text);
  if (!Number.isInteger(id) || id < 1) throw new HTTPException(404);
  return id;
}

/** @throws HTTPException 400, with what is wrong */
export async function read<T>(schema: z.ZodType<T>, request: { json(): Promise<unknown> }): Promise<T> {
  const body = await request.json().catch(() => undefined);
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new HTTPException(400, { message: z.prettifyError(parsed.error) });
  return parsed.data;
}
