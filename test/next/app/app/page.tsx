import { connection } from 'next/server';
import { tasksOf } from '../db/tasks';
import { Tasks } from './tasks';

export default async function Page() {
  await connection();
  return <Tasks tasks={await tasksOf(1)} />;
}
