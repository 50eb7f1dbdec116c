import { eq, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { STATUSES } from '../shared/vocabulary.js';
import { db } from './database.js';
import { comment, issue, project, team } from './schema.js';
import { sluice } from './sluice.js';

/** There is no login: everybody is the first member. */
const ME = 1;
const ID_MAX = 2 ** 31 - 1;

const id = z.int().min(1).max(ID_MAX);
/** Postgres has no NUL in texts. */
const text = z
  .string()
  .trim()
  .regex(/^[^\0]*$/, 'must not contain NUL');
const title = text.min(1).max(300);
const change = z
  .strictObject({
    status: z.enum(STATUSES),
    priority: z.int().min(0).max(4),
    assigneeId: id.nullable(),
    labelIds: z.array(id).max(20),
    title,
  })
  .partial();
const newIssue = z.strictObject({
  projectId: id,
  title,
  description: text.max(10_000).default(''),
  status: z.enum(STATUSES).default('todo'),
  priority: z.int().min(0).max(4).default(0),
  assigneeId: id.nullable().default(null),
  labelIds: z.array(id).max(20).default([]),
});
const newComment = z.strictObject({ body: text.min(1).max(10_000) });

/** The application's own routes, as they are without Sluice: the one addition is the token of each write. */
export const app = new Hono();

app.use(csrf());

app.onError((error, context) => {
  if (error instanceof HTTPException) return error.getResponse();
  if (isConflict(error))
    return context.text('the database refuses it: something it refers to is not there', 409);
  console.error(error);
  return context.text('the server failed', 500);
});

app.post('/api/issues', async (context) => {
  const { projectId, ...rest } = await read(newIssue, context.req);
  const created = await db.transaction(async (tx) => {
    const [of] = await tx.select().from(project).where(eq(project.id, projectId));
    if (of === undefined) throw new HTTPException(400, { message: 'there is no such project' });
    // Numbers of a team are given out one after the other.
    await tx.select().from(team).where(eq(team.id, of.teamId)).for('no key update');
    const number = sql<number>`(SELECT coalesce(max(number), 0) + 1 FROM issue WHERE team_id = ${of.teamId})`;
    const values = { ...rest, projectId, teamId: of.teamId, creatorId: ME, number };
    const [made] = await tx.insert(issue).values(values).returning({ id: issue.id });
    return { id: made?.id, token: await sluice.token(tx) };
  });
  return context.json(created, 201);
});

app.patch('/api/issues/:id', async (context) => {
  const issueId = idOf(context.req.param('id'));
  const set = await read(change, context.req);
  const token = await db.transaction(async (tx) => {
    const found =
      Object.keys(set).length > 0
        ? await tx.update(issue).set(set).where(eq(issue.id, issueId)).returning({ id: issue.id })
        : await tx.select({ id: issue.id }).from(issue).where(eq(issue.id, issueId));
    if (found.length === 0) throw new HTTPException(404, { message: 'there is no such issue any more' });
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

function idOf(param: string): number {
  const parsed = id.safeParse(Number(param));
  if (!parsed.success) throw new HTTPException(404, { message: 'there is no such issue' });
  return parsed.data;
}

/** A constraint of the database says no: a team, a member, an issue that has gone meanwhile. */
function isConflict(error: Error): boolean {
  const cause = error.cause ?? error;
  return typeof cause === 'object' && 'code' in cause && String(cause.code).startsWith('23');
}

/** @throws HTTPException 400, with what is wrong */
export async function read<T>(schema: z.ZodType<T>, request: { json(): Promise<unknown> }): Promise<T> {
  const body = await request.json().catch(() => undefined);
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new HTTPException(400, { message: z.prettifyError(parsed.error) });
  return parsed.data;
}
