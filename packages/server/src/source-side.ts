import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '@sluice/core/errors';
import type { Explanation } from '@sluice/core/explanation';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Limits } from './config/config.js';
import { explain } from './explain/explanation.js';
import { withObserved } from './explain/observed-misses.js';
import { EventCounts } from './metrics/event-counts.js';
import { loggable, logSourceEvent, logViewEvent } from './metrics/log.js';
import type { SourceSideStatus } from './metrics/readings.js';
import { plannerError } from './planner/errors.js';
import { Planner } from './planner/planner.js';
import { RegistryWatch } from './registry/registry-watch.js';
import { VisibleSchemas } from './registry/visible-schema.js';
import { SchemaSignals } from './schema-signals.js';
import { clientConfig, type ConnectionConfig } from './source/connection-config.js';
import { Database } from './source/database.js';
import { PostgresSource } from './source/postgres-source.js';
import type { SlotMode } from './source/slot-keeper.js';
import { parseSnapshot, sees } from './source/snapshot.js';
import type { Run } from './source/source.js';
import type { Transaction } from './source/transaction.js';
import type { FromViews, QuerySpec, ToViews, ViewsPort } from './views/port.js';
import { assembleViewHost } from './views/assemble.js';
import type { ViewHost } from './views/view-host.js';

/** Plain data, but for the password function: crosses into the views' thread. */
export interface SourceSideOptions {
  readonly database: ConnectionConfig;
  readonly replication: ConnectionConfig;
  readonly publication: string;
  readonly slot: SlotMode;
  readonly role: string;
  readonly visible: boolean;
  readonly pollMs: number;
  readonly poolMax: number;
  readonly maxRetainedWalBytes: number;
  readonly limits: Limits;
}

/** The stages from the source to the views, in this thread or another. */
export interface SourceSide {
  /** Where sessions stand. */
  readonly port: ViewsPort;
  /** Resolves when the stream runs. @throws SluiceError */
  start(): Promise<void>;
  stop(): Promise<void>;
  status(): Promise<SourceSideStatus>;
  /** What the role may see of the registry, as JSON. @throws SluiceError `role_not_usable` */
  schema(role: string): Promise<unknown>;
  /** How a query is kept live, and what it has cost here. Runs nothing. @throws SluiceError as a subscription of it */
  explain(spec: QuerySpec): Promise<Explanation>;
}

/** Connections beside the pool for reads: two to look at slot and catalog, two to plan, one for the stream. */
export const CONNECTIONS_BESIDE_POOL = 5;
const PLANNING_CONNECTIONS = 2;
/** Re-runs of one template are at least so far apart. */
const RERUN_INTERVAL_MS = 20;
/** Between two attempts to read a catalog that is known to have changed. */
const CATALOG_RETRY_MS = 200;
/** How often it is asked whether a change of the schema is visible yet. */
const VISIBLE_POLL_MS = 20;

/** All stages from the source to the views, wired together. */
export class LocalSourceSide implements SourceSide {
  readonly port: ViewsPort;
  readonly #log: Logger;
  readonly #counts = new EventCounts();
  readonly #database: Database;
  readonly #planning: pg.Pool;
  readonly #planner: Planner;
  readonly #source: PostgresSource;
  readonly #registry: RegistryWatch;
  readonly #schemas: VisibleSchemas;
  readonly #host: ViewHost;
  #replanned: Promise<void> = Promise.resolve();
  /** What the stream told of the schema has been read, and plans have been made anew. */
  #schemaKnown: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param changed told when the stream's state may have changed */
  constructor(options: SourceSideOptions, log: Logger, changed: () => void) {
    const { limits } = options;
    this.#log = log;
    this.#database = new Database({ connection: options.database, poolMax: options.poolMax });
    this.#planning = new pg.Pool({ ...clientConfig(options.database), max: PLANNING_CONNECTIONS });
    this.#planning.on('error', () => undefined); // an idle connection broke: the pool forgets it
    this.#source = new PostgresSource({
      database: this.#database,
      replication: options.replication,
      publication: options.publication,
      slot: options.slot,
      visible: options.visible,
      maxRetainedWalBytes: options.maxRetainedWalBytes,
      statementTimeoutMs: limits.statementTimeoutMs,
      fetchConcurrency: Math.min(limits.fetchConcurrency, options.poolMax),
      fetchQueueMax: limits.fetchQueueMax,
      transactionBytesMax: limits.transactionBytesMax,
      retainedBytesMax: limits.retainedBytesMax,
      onEvent: (event) => {
        logSourceEvent(log, event);
        this.#counts.sourceEvent(event);
        changed();
      },
    });
    const snapshot = <T>(work: (run: Run) => Promise<T>): Promise<T> =>
      this.#database.transaction({ isolation: 'repeatable read', readOnly: true }, work);
    this.#schemas = new VisibleSchemas(snapshot);
    this.#registry = new RegistryWatch({
      snapshot,
      nowMs: () => performance.now(),
      publication: options.publication,
      intervalMs: options.pollMs,
      onError: (error) => this.#failed('registry_read_failed', error),
    });
    this.#planner = new Planner({
      connections: this.#planning,
      planConcurrency: PLANNING_CONNECTIONS,
      registry: () => this.#registry.current,
      refresh: () => this.#registry.refresh(),
      defaultRole: options.role,
    });
    this.#host = assembleViewHost({
      source: this.#source,
      planner: this.#planner,
      registry: () => this.#registry.current,
      database: this.#database,
      limits: {
        viewsMax: limits.viewsMax,
        rowsPerViewMax: limits.rowsPerViewMax,
        bytesPerViewMax: limits.bytesPerViewMax,
        rowsHeldPerViewMax: limits.rowsHeldPerViewMax,
        heldBytesMax: limits.heldBytesMax,
      },
      statementTimeoutMs: limits.statementTimeoutMs,
      rerunIntervalMs: RERUN_INTERVAL_MS,
      rerunRestFactor: limits.rerunRestFactor,
      schemaKnown: () => this.#schemaKnown,
      onEvent: (event) => {
        logViewEvent(log, event);
        this.#counts.viewEvent(event);
      },
    });
    this.#registry.listen((_next, changed, global, rewritten) => {
      log.info({ event: 'schema_changed', tables: changed.size, global, rewritten: rewritten.size });
      const failed = (error: unknown): void => this.#failed('replan_failed', error);
      this.#replanned = this.#host.schemaChanged(changed, global).catch(failed);
      this.#host.rewritten(rewritten).catch(failed);
    });
    this.port = {
      post: (message: ToViews) => this.#host.post(message),
      listen: (listener: (message: FromViews) => void) =>
        this.#host.listen((message) => {
          this.#counts.message(message);
          listener(message);
        }),
    };
  }

  async start(): Promise<void> {
    await this.#registry.start();
    const catalog = {
      registry: () => this.#registry.current,
      readAgain: (by: Transaction | null) => this.#readCatalog(by),
    };
    await this.#source.start(new SchemaSignals(this.#host, catalog));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#host.stop();
    await this.#registry.stop();
    await this.#source.stop();
    await this.#planning.end();
    await this.#database.end();
  }

  async status(): Promise<SourceSideStatus> {
    return {
      source: this.#source.status(),
      views: this.#host.status(),
      catalog: this.#registry.status(),
      events: this.#counts.totals(),
      pool: this.#database.connections,
    };
  }

  async schema(role: string): Promise<unknown> {
    const schema = await this.#schemas.of(this.#registry.current, role);
    if (schema === null) throw plannerError('role_not_usable');
    return schema;
  }

  async explain({ sql, principal, adHoc }: QuerySpec): Promise<Explanation> {
    await this.#schemaKnown;
    const planned = await this.#planner.explain(sql, { principal, adHoc });
    const run: Run = (text, values) => this.#database.query(text, values);
    const expected = await this.#planner.estimate(sql, { principal });
    const { plan: _, ...explanation } = await explain(planned, this.#registry.current, run, expected);
    return withObserved(explanation, this.#host.observed(planned), this.#registry.current);
  }

  #readCatalog(by: Transaction | null): void {
    // Of two that stream one after the other the second may be visible first.
    this.#schemaKnown = Promise.all([this.#schemaKnown, this.#readUntilRead(by)]).then(() => undefined);
  }

  async #readUntilRead(by: Transaction | null): Promise<void> {
    while (!this.#stopped) {
      try {
        if (by !== null) await this.#untilVisible(by);
        await this.#registry.refresh();
        return await this.#replanned;
      } catch (error) {
        this.#failed('registry_read_failed', error);
        await sleep(CATALOG_RETRY_MS);
      }
    }
  }

  /** A commit streams before it is seen, under synchronous replication long before: the catalog is still the old one. */
  async #untilVisible({ xid }: Transaction): Promise<void> {
    const { chain } = this.#source;
    // A stream that began anew is told so, and may never hear of this transaction again.
    while (!this.#stopped && this.#source.chain === chain) {
      const { rows } = await this.#database.query('SELECT pg_current_snapshot()');
      if (sees(parseSnapshot(String(rows[0]?.[0])), xid)) return;
      await sleep(VISIBLE_POLL_MS);
    }
  }

  #failed(event: string, error: unknown): void {
    this.#counts.error(error instanceof SluiceError ? error.code : 'internal');
    this.#log.warn({ event, error: loggable(error) });
  }
}
