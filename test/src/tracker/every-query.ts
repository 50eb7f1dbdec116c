const FILTERS: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { projectId: 1 },
  { assigneeId: 2 },
  { assigneeId: 0 },
  { text: 'a' },
  { statuses: ['todo', 'in_progress'] },
  { projectId: 2, assigneeId: 1, text: '100%', statuses: ['done'] },
];

/** All queries of the tracker, with all that its filters make of them. */
export const QUERIES: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ...['teams', 'projects', 'members', 'labels', 'pulse'].map((name) => [name, {}] as const),
  ...FILTERS.flatMap((filter) => [
    ...['created', 'updated', 'priority'].map(
      (order) => ['issues', { ...filter, order, limit: 50 }] as const,
    ),
    ['issueTotal', filter] as const,
    ['issuesByStatus', { ...filter, statuses: undefined }] as const,
  ]),
  ['issue', { id: 1 }],
  ['issue', { id: 1_000_000 }],
];
