import { relations } from 'drizzle-orm';
import { integer, pgEnum, pgTable, smallint, text, timestamp } from 'drizzle-orm/pg-core';
import { STATUSES } from '../shared/vocabulary.js';

export const issueStatus = pgEnum('issue_status', STATUSES);

export const team = pgTable('team', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  key: text('key').notNull(),
  name: text('name').notNull(),
  color: text('color').notNull(),
});

export const project = pgTable('project', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  teamId: integer('team_id')
    .notNull()
    .references(() => team.id),
  name: text('name').notNull(),
  color: text('color').notNull(),
});

export const member = pgTable('member', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  name: text('name').notNull(),
  color: text('color').notNull(),
});

export const label = pgTable('label', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  name: text('name').notNull(),
  color: text('color').notNull(),
});

export const issue = pgTable('issue', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  teamId: integer('team_id')
    .notNull()
    .references(() => team.id),
  projectId: integer('project_id')
    .notNull()
    .references(() => project.id),
  number: integer('number').notNull(),
  title: text('title').notNull(),
  description: text('description').notNull(),
  status: issueStatus('status').notNull(),
  priority: smallint('priority').notNull(),
  assigneeId: integer('assignee_id').references(() => member.id),
  creatorId: integer('creator_id')
    .notNull()
    .references(() => member.id),
  labelIds: integer('label_ids').array().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
});

export const comment = pgTable('comment', {
  id: integer('id').primaryKey().generatedByDefaultAsIdentity(),
  issueId: integer('issue_id')
    .notNull()
    .references(() => issue.id, { onDelete: 'cascade' }),
  authorId: integer('author_id')
    .notNull()
    .references(() => member.id),
  body: text('body').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

export const pulse = pgTable('pulse', {
  id: integer('id').primaryKey(),
  at: timestamp('at', { withTimezone: true }).notNull(),
});

export const issueRelations = relations(issue, ({ one, many }) => ({
  team: one(team, { fields: [issue.teamId], references: [team.id] }),
  project: one(project, { fields: [issue.projectId], references: [project.id] }),
  assignee: one(member, { fields: [issue.assigneeId], references: [member.id] }),
  creator: one(member, { fields: [issue.creatorId], references: [member.id] }),
  comments: many(comment),
}));

export const commentRelations = relations(comment, ({ one }) => ({
  issue: one(issue, { fields: [comment.issueId], references: [issue.id] }),
  author: one(member, { fields: [comment.authorId], references: [member.id] }),
}));
