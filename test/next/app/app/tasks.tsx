import type { Task } from '../db/schema';

export function Tasks({ tasks }: { tasks: readonly Task[] }) {
  return (
    <main>
      <h1>Tasks</h1>
      <ul>
        {tasks.map((task) => (
          <li key={task.id}>
            {task.done ? '☑' : '☐'} {task.title}
          </li>
        ))}
      </ul>
    </main>
  );
}
