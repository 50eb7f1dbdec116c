import { defineQueries, query } from '@sluice/server';
import { and, asc, count, desc, eq, ilike, inArray, isNull, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { ORDERS, STATUSES, type Order } from '../shared/vocabulary.js';
import { db } from './database.js';
import { comment, issue, label, member, project, pulse, team } from './schema.js';

const filter = z.object({
  projectId: z.int().optional(),
  /** 0: nobody. */
  assigneeId: z.int().optional(),
  text: z.string().max(200).optional(),
});
const filterWithStatus = filter.extend({ statuses: z.array(z.enum(STATUSES)).optional() });
const page = filterWithStatus.extend({ order: z.enum(ORDERS), limit: z.int().min(1).max(100_000) });

export const queries = defineQueries({
  teams: query(() => db.select().from(team).orderBy(team.id)),

  projects: query(() => db.select().from(project).orderBy(project.id)),

  members: query(() => db.select().from(member).orderBy(member.name, member.id)),

  labels: query(() => db.select().from(label).orderBy(label.id)),

  issues: query(page, ({ args }) =>
    db
      .select({
        id: issue.id,
        teamId: issue.teamId,
        projectId: issue.projectId,
        number: issue.number,
        title: issue.title,
        status: issue.status,
        priority: issue.priority,
        assigneeId: issue.assigneeId,
        labelIds: issue.labelIds,
        createdAt: issue.createdAt,
        updatedAt: issue.updatedAt,
      })
      .from(issue)
      .where(matching(args))
      .orderBy(...inOrder(args.order))
      .limit(args.limit),
  ),

  issueTotal: query(filterWithStatus, ({ args }) =>
    db.select({ total: count() }).from(issue).where(matching(args)),
  ),

  issuesByStatus: query(filter, ({ args }) =>
    db
      .select({ status: issue.status, total: count() })
      .from(issue)
      .where(matching(args))
      .groupBy(issue.status)
      .orderBy(issue.status),
  ),

  issue: query(z.object({ id: z.int() }), ({ args }) =>
    db.query.issue.findFirst({
      where: eq(issue.id, args.id),
      with: {
        creator: true,
        comments: { with: { author: true }, orderBy: [asc(comment.createdAt), asc(comment.id)] },
      },
    }),
  ),

  pulse: query(() => db.select().from(pulse)),
});

function matching(args: z.infer<typeof filterWithStatus>): SQL | undefined {
  const { projectId, assigneeId, text, statuses } = args;
  return and(
    projectId === undefined ? undefined : eq(issue.projectId, projectId),
    assigneeId === undefined
      ? undefined
      : assigneeId === 0
        ? isNull(issue.assigneeId)
        : eq(issue.assigneeId, assigneeId),
    text === undefined ? undefined : ilike(issue.title, `%${text.replace(/[\\%_]/g, '\\$&')}%`),
    statuses === undefined ? undefined : inArray(issue.status, statuses),
  );
}

/** Ends with the key, so that there is one order only. */
function inOrder(order: Order): SQL[] {
  if (order === 'updated') return [desc(issue.updatedAt), desc(issue.id)];
  const newest = [desc(issue.createdAt), desc(issue.id)];
  return order === 'created' ? newest : [asc(issue.priority), ...newest];
}
