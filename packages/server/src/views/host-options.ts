import type { Lsn } from '@sluice/core/lsn';
import type { Binding } from '@sluice/core/plan';
import type { Epoch } from '@sluice/core/position';
import type { PgText, Row } from '@sluice/core/value';
import type { IncrementalPlan, Planned } from '../planner/planned.js';
import type { Fetch, FetchOptions, Run } from '../source/source.js';
import type { CostTotals } from './cost.js';
import type { Gear, Inability } from './gear.js';
import type { QuerySpec } from './port.js';

/** What the host needs of the stages to its left. */
export interface ViewHostOptions {
  readonly source: {
    readonly epoch: Epoch;
    readonly position: Lsn;
    readonly chain: number;
    fetch<T>(options: FetchOptions, read: (run: Run) => Promise<T>): Promise<Fetch<T>>;
    passed(lsn: Lsn): Promise<void>;
  };
  readonly plan: (spec: QuerySpec) => Promise<Planned>;
  /** The plan's binding in canonical text: the query's parameters, then (incremental) the lifted constants. */
  readonly bind: (planned: Planned, params: readonly PgText[]) => Promise<Binding>;
  /** Tables (oids) that a relation of the stream belongs to: itself and the partitioned tables above it. */
  readonly ancestors: (relation: number) => readonly number[];
  /** The engine of an incremental plan. */
  readonly gearOf: (planned: Planned, gear: IncrementalPlan) => Gear;
  /** Runs a query for many bindings at once. */
  readonly runBatch: (
    run: Run,
    planned: Planned,
    bindings: readonly Binding[],
  ) => Promise<readonly (readonly Row[])[]>;
  /** Resolves when what the stream has told of the schema so far has been read, and plans have been made anew for it. */
  readonly schemaKnown?: () => Promise<void>;
  /** Commits an empty transaction that carries a logical message: an input of time or schema with a place in the WAL. */
  readonly emit: (prefix: string, content: string) => Promise<void>;
  readonly limits: ViewLimits;
  readonly statementTimeoutMs: number;
  readonly rerunIntervalMs: number;
  /** How many times as long as a slow re-run took its template rests before the next. */
  readonly rerunRestFactor: number;
  readonly clock: Clock;
  readonly onEvent: (event: ViewEvent) => void;
}

export interface ViewLimits {
  readonly viewsMax: number;
  readonly rowsPerViewMax: number;
  /** What is read at once for one view, by the length of the texts. */
  readonly bytesPerViewMax: number;
  /** Rows of tables that the incremental gear reads for one view; a view that needs more is run again. */
  readonly rowsHeldPerViewMax: number;
  /**
   * What all views hold together, by estimate: beyond it answers of re-run views are let go, and then who holds most of
   * the others is run again.
   */
  readonly heldBytesMax: number;
  /** Keys that one statement asks a table for; more are asked for by several. Default: 10,000. */
  readonly keysPerStatementMax?: number;
}

export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Calls back at the interval, until the returned function is called. */
  every(ms: number, callback: () => void): () => void;
}

/** For logs and metrics. */
export type ViewEvent =
  | { readonly kind: 'hydrated'; readonly views: number }
  /** @property unsent relations (oids) of which values were not sent that it wanted */
  | { readonly kind: 'missed'; readonly unsent: readonly number[] }
  /** A view misses faster than it can be read: from now on it is read at the pace of re-runs. */
  | { readonly kind: 'restless'; readonly template: string }
  /** A view is run again from now on: what it reads cannot be told from its tables' rows. */
  | { readonly kind: 'handed_over'; readonly template: string; readonly why: Inability }
  /** Re-runs of the template take so long that it rests after each, so long after this one. */
  | { readonly kind: 'slowed'; readonly template: string; readonly ms: number; readonly restMs: number }
  /** All together hold more than they may: idle views are released, answers let go, and those that hold most given up. */
  | { readonly kind: 'full'; readonly heldBytes: number }
  | { readonly kind: 'reran'; readonly template: string; readonly views: number; readonly ms: number }
  /** A fetch did not succeed and is tried again. */
  | { readonly kind: 'fetch_failed'; readonly error: unknown }
  /** A fault of ours. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface ViewStatus {
  readonly views: number;
  readonly incremental: number;
  readonly rerun: number;
  /** Of the incremental ones, those that miss faster than they can be read. */
  readonly restless: number;
  /** Of the re-run ones, those that rest after each run, since it takes long. */
  readonly slowed: number;
  /** Those that are not followed until the stream has caught up. */
  readonly shed: number;
  /** Of tables, by the incremental views. */
  readonly heldRows: number;
  /** By estimate: rows, indexes and answers of the incremental views, and what is kept of the others. */
  readonly heldBytes: number;
  /** Of these, answers of re-run views, which the next ones are told as differences to. */
  readonly keptBytes: number;
  /** Re-run views whose answers are not kept, for want of memory. */
  readonly unkept: number;
  /** Texts whose place in an order that only Postgres knows they have learned, needed or not. */
  readonly heldTexts: number;
  /** Of all templates since the process began. */
  readonly cost: CostTotals;
}
