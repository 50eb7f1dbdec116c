import { boolean, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

export const task = pgTable('task', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  projectId: integer('project_id').notNull(),
  title: text('title').notNull(),
  done: boolean('done').notNull().default(false),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

export type Task = typeof task.$inferSelect;
