/**
 * What an application or an operator decides. The same keys in `createSluice`, in `sluice.config.*`, as flags
 * (`holdMs` → `--hold-ms`) and in the environment (`SLUICE_HOLD_MS`). `schema.ts` holds defaults and bounds.
 */
export interface SluiceConfig {
  /** The database, as the service role: a URL or its parts. */
  readonly database?: string | DatabaseConfig;
  /** A direct connection for the stream, when `database` goes through a pooler. Default: `database`. */
  readonly replication?: string | DatabaseConfig;
  /** Name of the publication that lists the tables. */
  readonly publication?: string;
  readonly slot?: SlotConfig;
  /** The client role of principals that `auth` gives no role. */
  readonly role?: string;
  /** The queries that clients may name. */
  readonly queries?: Readonly<Record<string, QueryDefinition>>;
  /** Who is asking? Null refuses. Default: everyone is `role` without claims. */
  readonly auth?: AuthHook;
  /** Whether clients may send SQL of their own. */
  readonly allowSql?: boolean;
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly basePath?: string;
  /** Listen on addresses that other machines reach. */
  readonly insecure?: boolean;
  /** Origins of pages that may connect, as `https://app.example`; `*` for all. */
  readonly origins?: readonly string[];
  readonly limits?: LimitsConfig;
  /** How long a slow view may hold a connection before it is shown as behind (C14). */
  readonly holdMs?: number;
  /** How long a view without subscriptions is kept. */
  readonly keepMs?: number;
  /** How often the catalog is polled for changes of the schema (C23). */
  readonly pollMs?: number;
  /** Moves wait until a snapshot sees their commits: for synchronous replication (C18). */
  readonly visible?: boolean;
  /** The WAL that our slot may hold back before it is given up (C19); bytes, or text such as `1GB`. */
  readonly maxRetainedWalBytes?: number | string;
  /** Connections of the pool for reads. The stream takes one or two more. */
  readonly poolMax?: number;
  readonly logLevel?: LogLevel;
  /** Runs source, planner and views in a thread of their own. */
  readonly viewsThread?: boolean;
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
  readonly tls?: boolean | TlsConfig;
}

export interface TlsConfig {
  /** PEM text of the authorities to trust. */
  readonly ca?: string;
  /** Or the file that holds it. */
  readonly caFile?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must carry, when it is not the host. */
  readonly serverName?: string;
}

export interface SlotConfig {
  /** `temporary`: one a process, gone with it. `permanent`: one owner, survives it. */
  readonly mode?: 'temporary' | 'permanent';
  /** Of a permanent slot; the beginning of a temporary one's. */
  readonly name?: string;
}

/** Everything a client can make grow has a bound. */
export interface LimitsConfig {
  /** Open connections of this process. */
  readonly connectionsMax?: number;
  /** Subscriptions of one connection. */
  readonly subscriptionsMax?: number;
  /** Bytes of one message from a client. */
  readonly messageBytesMax?: number | string;
  /** Bytes waiting for one slow connection before its views are folded. */
  readonly queueBytesMax?: number | string;
  /** Bytes of one view's rows. */
  readonly viewBytesMax?: number | string;
  /** Views that are open or kept. */
  readonly viewsMax?: number;
  /** A hydration or re-run that takes longer fails. */
  readonly statementTimeoutMs?: number;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Who asks: the role that queries run as, and what the policies and queries may know. */
export interface AuthResult {
  readonly role?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface AuthRequest {
  /** What the client sent with `hello` or as a bearer token; never in a URL. */
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string | undefined;
}

export type AuthHook = (request: AuthRequest) => AuthResult | null | Promise<AuthResult | null>;

/**
 * A named query: SQL, whose `params` name the arguments for `$1`, `$2` …; or a function of arguments and context.
 *
 * @example
 * queries: {
 *   issues: { sql: 'SELECT id, title FROM issue WHERE project_id = $1', params: ['projectId'] },
 *   mine: ({ ctx }) => ({ sql: 'SELECT id, title FROM issue WHERE owner = $1', params: [ctx.claims.sub] }),
 * }
 */
export type QueryDefinition = QueryText | QueryFunction;

export interface QueryText {
  readonly sql: string;
  /** Names of the arguments, in the order of `$1`, `$2` … Without it the arguments are a list. */
  readonly params?: readonly string[];
  readonly tick?: string;
}

export type QueryFunction = (call: QueryCall) => QueryAnswer | Promise<QueryAnswer>;

export interface QueryCall {
  /** As the client sent them: unverified. */
  readonly args: unknown;
  /** What `auth` returned. */
  readonly ctx: { readonly role: string; readonly claims: Readonly<Record<string, unknown>> };
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
  readonly auth: AuthHook | undefined;
  readonly allowSql: boolean;
  readonly host: string;
  readonly port: number;
  readonly basePath: string;
  readonly insecure: boolean;
  readonly origins: readonly string[];
  readonly limits: Limits;
  readonly holdMs: number;
  readonly keepMs: number;
  readonly pollMs: number;
  readonly visible: boolean;
  readonly maxRetainedWalBytes: number;
  readonly poolMax: number;
  readonly logLevel: LogLevel;
  readonly viewsThread: boolean;
}

export interface Limits {
  readonly connectionsMax: number;
  readonly subscriptionsMax: number;
  readonly messageBytesMax: number;
  readonly queueBytesMax: number;
  readonly viewBytesMax: number;
  readonly viewsMax: number;
  readonly statementTimeoutMs: number;
}
