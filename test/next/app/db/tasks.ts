import { eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { task } from './schema';

export const db = drizzle(new pg.Pool({ connectionString: process.env.DATABASE_URL }));

export function tasksOf(project: number) {
  return db.select().from(task).where(eq(task.projectId, project)).orderBy(task.id);
}
