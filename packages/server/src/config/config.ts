import type { Fields } from '@sluice/core/shape';
import type { AuthHook } from '../auth/auth.js';
import type { AnyNamedQuery, Ctx } from './named-query.js';

/**
 * What an application or an operator decides. The same keys in `createSluice`, in `sluice.config.*`, as flags
 * (`holdMs` → `--hold-ms`) and in the environment (`SLUICE_HOLD_MS`). `schema.ts` holds defaults and bounds.
 */
export interface SluiceConfig {
  /** The database, as the service role: a URL or its parts. */
  readonly database?: string | DatabaseConfig | undefined;
  /** A direct connection for the stream, when `database` goes through a pooler. Default: `database`. */
  readonly replication?: string | DatabaseConfig | undefined;
  /** Name of the publication that lists the tables. */
  readonly publication?: string;
  readonly slot?: SlotConfig;
  /** The client role of principals that `auth` gives no role. */
  readonly role?: string;
  /** The queries that clients may name. */
  readonly queries?: Readonly<Record<string, QueryDefinition>>;
  /** For names that `queries` does not have: a function of this process, or another process over signed HTTP. */
  readonly resolve?: ResolveFunction | RemoteResolverConfig;
  /**
   * The application's own Drizzle database or Kysely instance, which `queries` are written with. The schema that a
   * Drizzle database was made with is compared with the catalog, as `drizzle` is.
   */
  readonly db?: ApplicationDatabase;
  /** A Drizzle schema (`import * as schema`): `sluice check` and a start compare it with the catalog. */
  readonly drizzle?: object;
  /** Who is asking? Null refuses. Default: everyone is `role` without claims. */
  readonly auth?: AuthHook;
  /**
   * Told what `auth` or the function of a query threw, as it is. The log has only its class and where it came from:
   * what an application's errors say may hold rows or tokens.
   */
  readonly onError?: ErrorHook;
  /** Whether clients may send SQL of their own. */
  readonly allowSql?: boolean;
  /**
   * Whether clients may have a query explained that they may subscribe to: it shows them its SQL as a plan, the tables
   * and indexes behind it, and what it costs for all clients together. Default: only in `sluice dev`.
   */
  readonly explain?: boolean | undefined;
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly basePath?: string;
  /** Listen on addresses that other machines reach. */
  readonly insecure?: boolean;
  /** Origins of pages that may connect, as `https://app.example`; `*` for all. */
  readonly allowedOrigins?: readonly string[];
  /** Take a client's address from the last entry of X-Forwarded-For: only behind a proxy that sets it. */
  readonly trustProxy?: boolean;
  readonly limits?: LimitsConfig;
  /** How long a slow view may hold a connection before it is shown as behind (C14). */
  readonly holdMs?: number;
  /** How long a view without subscriptions is kept. */
  readonly keepMs?: number;
  /** How long clients are given to go elsewhere when this server stops. */
  readonly graceMs?: number;
  /** How often the catalog is polled for changes of the schema (C23). */
  readonly pollMs?: number;
  /** Moves wait until a snapshot sees their commits: for synchronous replication (C18). */
  readonly visible?: boolean;
  /** The WAL that our slot may hold back before it is given up (C19); bytes, or text such as `1GB`. */
  readonly maxRetainedWalBytes?: number | string;
  /** Connections of the pool for reads. Five more are used for the stream, the catalog and planning. */
  readonly poolMax?: number;
  readonly logLevel?: LogLevel;
  /** Runs source, planner and views in a thread of their own. */
  readonly viewsThread?: boolean;
}

/** What Drizzle's databases and Kysely's instances have in common. */
export interface ApplicationDatabase {
  readonly transaction: (...args: never[]) => unknown;
}

export interface DatabaseConfig {
  /** `postgres://user@host:5432/database`; the other keys override its parts. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  /** A function is asked before each connection: for passwords that expire (IAM). */
  readonly password?: string | (() => string | Promise<string>);
  /** `true` verifies the server's certificate against the system's authorities. */
  readonly ssl?: boolean | TlsConfig;
}

export interface TlsConfig {
  /** PEM text of the authorities to trust. */
  readonly ca?: string;
  /** Or the file that holds it. */
  readonly caFile?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must carry, when it is not the host. */
  readonly servername?: string;
}

export interface SlotConfig {
  /** `temporary`: one a process, gone with it. `permanent`: one owner, survives it. */
  readonly mode?: 'temporary' | 'permanent';
  /** Of a permanent slot; the beginning of a temporary one's. */
  readonly name?: string;
}

/** What can grow and has a bound that an operator may want to move. */
export interface LimitsConfig {
  /** Open connections from one address. */
  readonly connectionsPerAddressMax?: number;
  /** Subscriptions of one connection, and of all connections with the same role and claims. */
  readonly subscriptionsMax?: number;
  readonly subscriptionsPerPrincipalMax?: number;
  /** Positions and tokens that one connection waits for. */
  readonly reachesMax?: number;
  /** Subscriptions made by `POST /subscribe`. */
  readonly streamsMax?: number;
  /** Bytes of one message from a client. */
  readonly messageBytesMax?: number | string;
  /** Messages that one connection may send: at once, and a second for ever. */
  readonly messagesBurst?: number;
  readonly messagesPerSecond?: number;
  /** Unsent bytes at which a connection is closed. */
  readonly bufferBytesMax?: number | string;
  /** Views that are open or kept. */
  readonly viewsMax?: number;
  readonly rowsPerViewMax?: number;
  /** What is read at once for one view, by the length of the texts: a result of more is refused. */
  readonly bytesPerViewMax?: number | string;
  /** Rows of tables that are read to maintain one view; a view that needs more is run again instead. */
  readonly rowsHeldPerViewMax?: number;
  /** What all incremental views may hold together, by estimate; beyond it those that hold most are run again. */
  readonly heldBytesMax?: number | string;
  /** A hydration or re-run that takes longer fails. */
  readonly statementTimeoutMs?: number;
  /** A re-run of more than 50 ms is followed by a rest of so many times as long as it took. */
  readonly rerunRestFactor?: number;
  /** Reads at a snapshot at a time, and those that may wait. */
  readonly fetchConcurrency?: number;
  readonly fetchQueueMax?: number;
  /** Changes of one transaction beyond this are dropped, and the views of its tables hydrated anew. */
  readonly transactionBytesMax?: number | string;
  /** Decoded transactions kept for reads at a snapshot; beyond it reads start again. */
  readonly retainedBytesMax?: number | string;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/**
 * A named query: of `query`, with its types; or SQL, whose `params` name the arguments for `$1`, `$2` …; or a function
 * of arguments and context.
 *
 * @example
 * queries: {
 *   issues: { sql: 'SELECT id, title FROM issue WHERE project_id = $1', params: ['projectId'] },
 *   mine: ({ ctx }) => ({ sql: 'SELECT id, title FROM issue WHERE owner = $1', params: [ctx.claims.sub] }),
 * }
 */
export type QueryDefinition = AnyNamedQuery | QueryText | QueryFunction;

export interface QueryText {
  readonly sql: string;
  /** Names of the arguments, in the order of `$1`, `$2` … Without it the arguments are a list. */
  readonly params?: readonly string[];
  readonly tick?: string;
}

export type QueryFunction = (call: QueryCall) => QueryAnswer | PromiseLike<QueryAnswer> | QueryBuilder;

/** A select builder of Drizzle or Kysely. */
export type QueryBuilder = { toSQL(): unknown } | { compile(): unknown };

/** Resolves a query by its name; null when it knows none of that name. */
export type ResolveFunction = (
  name: string,
  args: unknown,
  ctx: Ctx,
) => ResolveAnswer | QueryBuilder | null | Promise<ResolveAnswer | null>;

export interface ResolveAnswer extends QueryAnswer {
  /** How rows become objects: docs/protocol.md, Fields. */
  readonly shape?: Fields;
}

/** Another process that resolves queries: asked by `POST`, signed as Standard Webhooks has it. */
export interface RemoteResolverConfig {
  readonly url: string;
  /** Shared with that process: `whsec_` and base64, or any text. Of several, requests are signed with each: to rotate. */
  readonly secret: string | readonly string[];
  readonly timeoutMs?: number;
  /** Bytes of an answer. */
  readonly bytesMax?: number | string;
  /** Requests under way at a time; equal calls share one. */
  readonly concurrency?: number;
  /** Calls that may wait for their turn. */
  readonly queueMax?: number;
}

export type RemoteResolver = Required<RemoteResolverConfig> & { readonly bytesMax: number };

/** Which function of the application failed; `query` is the name that was asked for. */
export type ErrorPlace =
  { readonly function: 'auth' } | { readonly function: 'query'; readonly query: string };

export type ErrorHook = (error: unknown, place: ErrorPlace) => void;

export interface QueryCall {
  /** As the client sent them: unverified. */
  readonly args: unknown;
  /** What `auth` returned. */
  readonly ctx: Ctx;
}

/** SQL and the values of its parameters: `{ sql, params }`, or `{ text, values }` as drivers and builders have it. */
export interface QueryAnswer {
  readonly sql?: string;
  readonly text?: string;
  readonly params?: readonly unknown[];
  readonly values?: readonly unknown[];
  readonly tick?: string;
}

/** A configuration that was checked: every key has its value. */
export interface Config {
  readonly database: DatabaseConfig | undefined;
  readonly replication: DatabaseConfig | undefined;
  readonly publication: string;
  readonly slot: { readonly mode: 'temporary' | 'permanent'; readonly name: string };
  readonly role: string;
  readonly queries: Readonly<Record<string, QueryDefinition>>;
  readonly resolve: ResolveFunction | RemoteResolver | undefined;
  readonly db: ApplicationDatabase | undefined;
  readonly drizzle: object | undefined;
  readonly auth: AuthHook | undefined;
  readonly onError: ErrorHook | undefined;
  readonly allowSql: boolean;
  readonly explain: boolean | undefined;
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  readonly insecure: boolean;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly limits: Limits;
  readonly holdMs: number;
  readonly keepMs: number;
  readonly graceMs: number;
  readonly pollMs: number;
  readonly visible: boolean;
  readonly maxRetainedWalBytes: number;
  readonly poolMax: number;
  readonly logLevel: LogLevel;
  readonly viewsThread: boolean;
}

export type Limits = { readonly [K in keyof Required<LimitsConfig>]: number };
