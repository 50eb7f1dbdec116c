import { useEffect, useState } from 'react';

interface Task {
  id: number;
  title: string;
  done: boolean;
}

export function Tasks({ project }: { project: number }) {
  const [tasks, setTasks] = useState<Task[]>([]);
  useEffect(() => {
    void fetch(`/api/tasks?project=${project}`)
      .then((response) => response.json())
      .then(setTasks);
  }, [project]);
  return (
    <ul>
      {tasks.map((task) => (
        <li key={task.id}>
          {task.done ? '☑' : '☐'} {task.title}
        </li>
      ))}
    </ul>
  );
}
