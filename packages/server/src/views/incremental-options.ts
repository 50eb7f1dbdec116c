import type { Lsn } from '@sluice/core/lsn';
import type { Planned } from '../planner/planned.js';
import type { Fetch, Run } from '../source/source.js';
import type { Gear, Inability } from './gear.js';
import type { IncrementalView } from './incremental-view.js';
import type { Ancestors } from './table-changes.js';
import type { Publications, Version } from './publications.js';
import type { View } from './view.js';

/** What a template in the incremental gear is given. */
export interface IncrementalOptions {
  readonly planned: Planned;
  readonly gear: Gear;
  /** Of all views of the host. */
  readonly publications: Publications;
  readonly rowsPerViewMax: number;
  /** Rows of tables held for one view, on average: beyond it all are read anew, and who needs too much is found then. */
  readonly rowsHeldPerViewMax: number;
  /** Transactions kept while views are behind. */
  readonly relevantMax?: number;
  /** Reads at a snapshot. */
  fetch<T>(read: (run: Run) => Promise<T>): Promise<Fetch<T>>;
  /** What the gear cannot tell is answered by running the query again; without it that is an error. */
  handOver?(one: IncrementalView, why: Inability): void;
  /** A view that cannot be handed over is given up for want of memory. */
  onGivenUp(view: View): void;
  /** It may hold more than before. */
  onTaken(): void;
  passed(lsn: Lsn): Promise<void>;
  /** The chain of the source, and how far it has been told. */
  chain(): number;
  now(): Version;
  readonly ancestors: Ancestors;
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
  /** The least time between the starts of two reads of restless views, ms. */
  readonly intervalMs: number;
  /** Counts for the metrics. */
  onHydration(bindings: number): void;
  onMiss(unsent: ReadonlySet<number>): void;
  onRestless(): void;
  /** The engine failed an assertion: it is not to be trusted further. */
  onFault(error: unknown): void;
  /** A fetch failed for want of a connection; resolves when it is worth trying again. */
  recovered(error: unknown): Promise<void>;
}
