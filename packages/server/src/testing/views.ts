import { AssertionError } from 'node:assert/strict';
import pg from 'pg';
import type { WireError } from '@sluice/core/wire';
import type { Planned } from '../planner/planned.js';
import { Planner } from '../planner/planner.js';
import { readRegistry } from '../registry/read-registry.js';
import type { Registry } from '../registry/registry.js';
import { changedTables, rewrittenTables } from '../registry/registry-difference.js';
import { Database } from '../source/database.js';
import { PostgresSource } from '../source/postgres-source.js';
import type { PostgresSourceOptions } from '../source/source-options.js';
import { assembleViewHost } from '../views/assemble.js';
import type { FromViews, QuerySpec } from '../views/port.js';
import type { ViewEvent, ViewLimits } from '../views/host-options.js';
import type { ViewHost } from '../views/view-host.js';
import { within } from './deadline.js';
import { CLIENT_ROLE, type TestDatabase } from './postgres.js';
import { runOn } from '../source/run-on.js';

/** Source, planner and views over a test's database, without sessions. */
export interface RunningViews {
  readonly host: ViewHost;
  readonly source: PostgresSource;
  readonly events: ViewEvent[];
  /** Positions of the commit tokens seen. */
  readonly tokens: ReadonlyMap<string, bigint>;
  /** Opens a query and follows what its view publishes. */
  open(sql: string, params?: QuerySpec['params'], more?: Partial<QuerySpec>): Promise<FollowedView>;
  plan(sql: string, params?: QuerySpec['params']): Promise<Planned>;
  /** Reads the catalog anew and tells the views what changed. */
  schemaChanged(): Promise<void>;
  /** Resolves when the position of a batch meets the condition. */
  until(done: (position: bigint) => boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface RunningViewsOptions {
  /** Where reads and the stream go when not straight to the database: through a proxy of the test's. */
  readonly readUrl?: string;
  readonly source?: Partial<PostgresSourceOptions>;
  /** Waited for after a query is planned, before its values are bound. */
  readonly planned?: () => Promise<void>;
  /** Waited for before each plan: see `ViewHostOptions`. */
  readonly schemaKnown?: () => Promise<void>;
}

const PRINCIPAL = { role: CLIENT_ROLE, claims: {} };

export async function startViews(
  database: TestDatabase,
  limits: Partial<ViewLimits> = {},
  { readUrl = database.url, source: sourceOptions = {}, planned, schemaKnown }: RunningViewsOptions = {},
): Promise<RunningViews> {
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  const db = new Database({ connection: readUrl });
  const source = new PostgresSource({ database: db, replication: database.url, ...sourceOptions });
  let registry: Registry = await readRegistry(runOn(pool), 'sluice');
  const planner = new PausedPlanner(
    { connections: pool, registry: () => registry, refresh: () => schemaChanged() },
    planned,
  );
  const events: ViewEvent[] = [];
  const host = assembleViewHost({
    source,
    planner,
    registry: () => registry,
    database: db,
    limits: {
      viewsMax: 1000,
      rowsPerViewMax: 1000,
      bytesPerViewMax: Infinity,
      rowsHeldPerViewMax: 100_000,
      heldBytesMax: Infinity,
      ...limits,
    },
    statementTimeoutMs: 30_000,
    rerunIntervalMs: 5,
    ...(schemaKnown ? { schemaKnown } : {}),
    rerunRestFactor: 3,
    onEvent: (event) => events.push(event),
  });
  const tokens = new Map<string, bigint>();
  const followed = new Map<string, FollowedView>();
  const placed = new Map<number, FollowedView>();
  const opening = new Map<number, (message: FromViews) => void>();
  host.listen((message) => {
    if (message.kind === 'opened' || message.kind === 'refused') opening.get(message.ref)?.(message);
    else if (message.kind === 'batch') take(message);
    // What sessions do that keep no view for later.
    else if (message.kind === 'full') host.post({ kind: 'spared' });
    else tokens.set(message.token, message.lsn);
  });
  let position = 0n;
  const waiting = new Set<() => void>();
  const take = (batch: Extract<FromViews, { kind: 'batch' }>): void => {
    for (const entry of batch.entries) placed.get(entry.place)?.take(entry);
    position = batch.position;
    for (const look of waiting) look();
  };
  const schemaChanged = async (): Promise<void> => {
    const before = registry;
    registry = await readRegistry(runOn(pool), 'sluice');
    const global = registry.globalHash !== before.globalHash;
    await host.schemaChanged(changedTables(before, registry), global);
    await host.rewritten(rewrittenTables(before, registry));
  };
  await source.start(host);
  let ref = 0;
  return {
    host,
    source,
    events,
    tokens,
    open: (sql, params = [], more = {}) => {
      const spec = { sql, params, principal: PRINCIPAL, adHoc: false, ...more };
      ref += 1;
      const own = ref;
      return new Promise((resolve, reject) => {
        opening.set(own, (message) => {
          if (message.kind === 'refused')
            reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
          if (message.kind !== 'opened') return;
          const view =
            followed.get(message.view) ?? new FollowedView(message.view, message.gear, message.reason);
          followed.set(message.view, view);
          placed.set(message.place, view);
          view.gear = message.gear;
          view.reason = message.reason;
          resolve(view);
        });
        host.post({ kind: 'open', ref: own, spec });
      });
    },
    plan: (sql, params = []) => planner.plan(sql, { principal: PRINCIPAL, adHoc: false, params }),
    schemaChanged,
    until: (done) => {
      const met = new Promise<void>((resolve) => {
        const look = (): void => {
          if (!done(position)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
      return within(String(done), met);
    },
    stop: async () => {
      host.stop();
      await source.stop();
      await db.end();
      await pool.end();
    },
  };
}

/** Lets a test in between a plan and its binding. */
class PausedPlanner extends Planner {
  readonly #planned: () => Promise<void>;

  constructor(options: ConstructorParameters<typeof Planner>[0], planned = () => Promise.resolve()) {
    super(options);
    this.#planned = planned;
  }

  override async bind(...args: Parameters<Planner['bind']>): ReturnType<Planner['bind']> {
    await this.#planned();
    return super.bind(...args);
  }
}

type Entry = Extract<FromViews, { kind: 'batch' }>['entries'][number];

/** What a client would hold of a view. */
export class FollowedView {
  readonly id: string;
  /** As it was opened last. */
  gear: string;
  reason: string | undefined;
  state: 'hydrating' | 'valid' | 'gap' | 'error' | 'ended' = 'hydrating';
  error: WireError | null = null;
  /** Operations received so far. */
  operations = 0;
  /** How often it was told whole. */
  wholes = 0;
  /** How often it could not be told any more. */
  gaps = 0;
  #rows: [string, unknown][] = [];
  #version: bigint | null = null;
  #waiting: { done: () => boolean; resolve: () => void }[] = [];

  constructor(id: string, gear: string, reason: string | undefined) {
    this.id = id;
    this.gear = gear;
    this.reason = reason;
  }

  get rows(): unknown[] {
    return this.#rows.map(([, row]) => row);
  }

  /** Resolves once the view is valid and its rows are these; a failed assertion when they never are. */
  async shows(rows: readonly unknown[]): Promise<void> {
    const wanted = JSON.stringify(rows);
    const shown = (): boolean => this.state === 'valid' && JSON.stringify(this.rows) === wanted;
    await this.until(shown).catch((error: unknown) => {
      const held = JSON.stringify(this.rows);
      throw error instanceof AssertionError
        ? new AssertionError({ message: `${this.state}: ${held} is not ${wanted}` })
        : error;
    });
  }

  async until(done: () => boolean): Promise<void> {
    if (done()) return;
    await within(String(done), new Promise<void>((resolve) => this.#waiting.push({ done, resolve })));
  }

  take(entry: Entry): void {
    this.#apply(entry);
    this.#waiting = this.#waiting.filter(({ done, resolve }) => {
      if (!done()) return true;
      resolve();
      return false;
    });
  }

  #apply(entry: Entry): void {
    if (entry.kind === 'gap') {
      this.gaps++;
      this.state = this.state === 'valid' ? 'gap' : this.state;
    } else if (entry.kind === 'again') this.state = 'valid';
    else if (entry.kind === 'error' || entry.kind === 'ended') {
      this.state = entry.kind;
      this.error = entry.error;
    } else if (entry.kind === 'gear') {
      this.gear = entry.gear;
      this.reason = entry.reason;
    } else if (entry.kind === 'rows') {
      const { rows } = JSON.parse(Buffer.from(entry.message).toString()) as { rows: [string, unknown][] };
      this.#rows = rows;
      this.wholes++;
      this.#version = entry.at;
      this.state = 'valid';
    } else {
      if (entry.from !== this.#version) throw new Error(`the chain of ${this.id} is broken`);
      this.#version = entry.to;
      this.state = 'valid';
      this.operations += entry.count;
      const { ops } = JSON.parse(Buffer.from(entry.message).toString()) as {
        ops: ['put' | 'del', string, unknown, (string | null)?][];
      };
      for (const op of ops) this.#operate(op);
    }
  }

  #operate([kind, key, row, after]: ['put' | 'del', string, unknown, (string | null)?]): void {
    const at = this.#rows.findIndex(([known]) => known === key);
    if (kind === 'put' && after === undefined && at >= 0) this.#rows[at] = [key, row];
    else if (at >= 0) this.#rows.splice(at, 1);
    if (kind === 'del' || (after === undefined && at >= 0)) return;
    const place =
      after === undefined
        ? this.#rows.length
        : after === null
          ? 0
          : this.#rows.findIndex(([known]) => known === after) + 1;
    this.#rows.splice(place, 0, [key, row]);
  }
}
