import type { IncrementalOptions } from '../views/incremental-options.js';
import type { QuerySpec } from '../views/port.js';

type Scripted = 'planned' | 'gear' | 'publications' | 'rowsPerViewMax' | 'fetch' | 'now';

/** What tests of a template do not look at: time stands still, reads are passed at once, and a fault is thrown. */
export const QUIET: Omit<IncrementalOptions, Scripted> = {
  rowsHeldPerViewMax: 10_000,
  passed: () => Promise.resolve(),
  chain: () => 0,
  ancestors: (oid) => [oid],
  clock: { now: () => 0, sleep: () => Promise.resolve() },
  intervalMs: 0,
  onHydration: () => undefined,
  onGivenUp: () => undefined,
  onTaken: () => undefined,
  onMiss: () => undefined,
  onRestless: () => undefined,
  onFault: (error) => {
    throw error;
  },
  recovered: (error) => Promise.reject(error instanceof Error ? error : new Error(String(error))),
};

/** What a fetch gives its work where a script answers in Postgres's place. */
export const noRun = (): Promise<never> => Promise.reject(new Error('nothing is asked of Postgres'));

/** How a view was asked for that no planner has seen. */
export const UNPLANNED: QuerySpec = {
  sql: '',
  params: [],
  principal: { role: 'r', claims: {} },
  adHoc: false,
};
