/** What server and page both name. */
export const STATUSES = ['backlog', 'todo', 'in_progress', 'in_review', 'done', 'canceled'] as const;
export type Status = (typeof STATUSES)[number];

export const STATUS_NAMES: Readonly<Record<Status, string>> = {
  backlog: 'Backlog',
  todo: 'Todo',
  in_progress: 'In Progress',
  in_review: 'In Review',
  done: 'Done',
  canceled: 'Canceled',
};

/** By the number in the database: 0 is none, 1 the most urgent. */
export const PRIORITY_NAMES: readonly string[] = ['No priority', 'Urgent', 'High', 'Medium', 'Low'];

export const ORDERS = ['created', 'updated', 'priority'] as const;
export type Order = (typeof ORDERS)[number];

export const ORDER_NAMES: Readonly<Record<Order, string>> = {
  created: 'Created',
  updated: 'Updated',
  priority: 'Priority',
};
