import leven from 'leven';
import { z } from 'zod';
import type { AuthHook } from '../auth/auth.js';
import type {
  ApplicationDatabase,
  Config,
  ErrorHook,
  QueryFunction,
  ResolveFunction,
  SluiceConfig,
} from './config.js';
import { configError } from './errors.js';
import { formatBytes, parseBytes } from './bytes.js';
import { isNamedQuery, type AnyNamedQuery } from './named-query.js';

/*
 * The one list of keys: types, defaults, bounds and meanings. Flags, environment variables and the table in
 * docs/operations.md are derived from it (`keys.ts`), so none of them can lag behind.
 */

const DAY_MS = 86_400_000;
const ms = (fallback: number, least = 0): z.ZodDefault<z.ZodInt> =>
  z.int().min(least).max(DAY_MS).default(fallback);
const count = (fallback: number, most: number): z.ZodDefault<z.ZodInt> =>
  z.int().min(1).max(most).default(fallback);
/** Plain bytes, or text with a unit. JSON Schema cannot tell the default of what is read first: hence `fallback`. */
const bytes = (
  fallback: number,
  least: number,
  description: string,
): z.ZodDefault<z.ZodPreprocess<z.ZodInt, number | string | undefined>> =>
  z
    .preprocess((value: number | string | undefined) => parseBytes(value), z.int().min(least))
    .default(fallback)
    .meta({ description, flag: 'bytes', fallback: formatBytes(fallback) });
const identifier = (fallback: string): z.ZodDefault<z.ZodString> =>
  z.string().min(1).max(63).default(fallback);

const ssl = z.union([
  z.boolean(),
  z.strictObject({
    ca: z.string().optional(),
    caFile: z.string().optional(),
    cert: z.string().optional(),
    key: z.string().optional(),
    servername: z.string().optional(),
  }),
]);

const password = z.union([
  z.string(),
  z.custom<() => string | Promise<string>>((value) => typeof value === 'function'),
]);

const database = z.preprocess(
  (value: unknown) => (typeof value === 'string' ? { url: value } : value),
  z.strictObject({
    url: z.string().min(1).optional(),
    host: z.string().min(1).optional(),
    port: z.int().min(1).max(65_535).optional(),
    database: z.string().min(1).optional(),
    user: z.string().min(1).optional(),
    password: password.optional(),
    ssl: ssl.optional(),
  }),
);

const query = z.union(
  [
    z.custom<QueryFunction | AnyNamedQuery>((value) => typeof value === 'function' || isNamedQuery(value)),
    z.strictObject({
      sql: z.string().min(1),
      params: z.array(z.string().min(1)).optional(),
      tick: z.string().optional(),
    }),
  ],
  { error: 'must be query(…), { sql, params?, tick? } or a function that returns SQL' },
);

const hook = z.custom<AuthHook>((value) => typeof value === 'function', { error: 'must be a function' });

const errorHook = z.custom<ErrorHook>((value) => typeof value === 'function', {
  error: 'must be a function',
});

const secret = z
  .string()
  .min(16, { error: 'must have at least 16 characters' })
  .regex(/^(?!whsec_)|^whsec_[A-Za-z0-9+/]+={0,2}$/, { error: 'must be base64 after whsec_' });

const remoteResolver = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\//, { error: 'must be an http or https URL' })
    .regex(/^https?:\/\/[^/?#@]*(?:[/?#]|$)/, {
      error: 'must have no user and password: requests are signed',
    }),
  secret: z.union([secret, z.array(secret).min(1)]),
  timeoutMs: ms(5_000, 1),
  bytesMax: bytes(1 << 20, 1024, 'bytes of an answer'),
  concurrency: count(16, 1_000),
  queueMax: count(10_000, 1_000_000),
});

const resolver = z.union(
  [z.custom<ResolveFunction>((value) => typeof value === 'function'), remoteResolver],
  {
    error:
      'must be a function or { url, secret, timeoutMs?, bytesMax?, concurrency?, queueMax? }, the URL without user and password, each secret of at least 16 characters',
  },
);

function isApplicationDatabase(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && typeof Reflect.get(value, 'transaction') === 'function'
  );
}

const schema = z.strictObject({
  database: database.optional().meta({
    description:
      'the database, as the service role: a URL, or an object of url, host, port, database, user, password, ssl',
    flag: 'text',
    argument: 'url',
    as: 'database-url',
  }),
  replication: database.optional().meta({
    description: 'a direct connection for the stream, when `database` goes through a pooler',
    flag: 'text',
    argument: 'url',
    as: 'replication-url',
  }),
  publication: identifier('sluice').describe('the publication that lists the tables'),
  slot: z
    .strictObject({
      mode: z
        .enum(['temporary', 'permanent'])
        .default('temporary')
        .describe('temporary: one for each process, gone with it; permanent: one owner, survives it'),
      name: z
        .string()
        .regex(/^[a-z0-9_]{1,40}$/, { error: 'must be 1 to 40 of a-z, 0-9 and _' })
        .default('sluice')
        .describe('the name of a permanent slot, the beginning of a temporary one'),
    })
    .prefault({}),
  role: identifier('sluice_client').describe('the client role of principals that `auth` gives no role'),
  queries: z
    .record(z.string().regex(/^[A-Za-z_$][\w$.-]{0,99}$/, { error: 'is no name for a query' }), query)
    .default({})
    .meta({ description: 'the queries that clients may name', flag: 'none' }),
  resolve: resolver.optional().meta({
    description:
      'resolves names that `queries` does not have: a function, or { url, secret, timeoutMs, bytesMax, concurrency, queueMax } of another process',
    flag: 'none',
  }),
  db: z
    .custom<ApplicationDatabase>(isApplicationDatabase, {
      error: 'must be a Drizzle database or a Kysely instance (connections go in `database`)',
    })
    .optional()
    .meta({
      description:
        'the Drizzle database or Kysely instance of the application; its schema is compared with the catalog',
      flag: 'none',
    }),
  drizzle: z
    .custom<object>((value) => typeof value === 'object' && value !== null, { error: 'must be an object' })
    .optional()
    .meta({ description: 'a Drizzle schema, which `sluice check` compares with the catalog', flag: 'none' }),
  auth: hook
    .optional()
    .meta({ description: 'who is asking: role and claims, or null to refuse', flag: 'none' }),
  onError: errorHook.optional().meta({
    description:
      'told what `auth` or the function of a query threw, as it is: the log keeps its words to itself',
    flag: 'none',
  }),
  allowSql: z.boolean().default(false).describe('clients may send SQL of their own'),
  explain: z
    .boolean()
    .optional()
    .describe(
      'clients may ask how a query that they may subscribe to is kept live, and what it costs; `sluice dev` lets them',
    ),
  host: z.string().min(1).default('127.0.0.1').describe('the address to listen on'),
  port: z.int().min(0).max(65_535).default(4400).describe('the port to listen on; 0 takes a free one'),
  basePath: z
    .string()
    .regex(/^(\/[\w.~-]+)+$/, { error: 'must start with / and not end with it' })
    .default('/sluice')
    .describe('the path below which everything is served'),
  insecure: z.boolean().default(false).describe('listen on addresses that other machines reach'),
  allowedOrigins: z
    .array(z.string().min(1))
    .default([])
    .describe("origins of pages that may connect, besides this host's own; * for all"),
  trustProxy: z
    .boolean()
    .default(false)
    .describe('take the address of a client from the last entry of X-Forwarded-For'),
  limits: z
    .strictObject({
      connectionsPerAddressMax: count(10_000, 1_000_000).describe('open connections from one address'),
      subscriptionsMax: count(512, 1_000_000).describe('subscriptions of one connection'),
      subscriptionsPerPrincipalMax: count(100_000, 10_000_000).describe(
        'subscriptions of all connections with the same role and claims',
      ),
      reachesMax: count(1_024, 1_000_000).describe('positions and tokens that one connection waits for'),
      streamsMax: count(10_000, 1_000_000).describe('subscriptions made by POST /subscribe'),
      messageBytesMax: bytes(1 << 20, 1024, 'bytes of one message from a client'),
      messagesBurst: count(2_000, 1_000_000).describe('messages that one connection may send at once'),
      messagesPerSecond: count(200, 1_000_000).describe(
        'messages that one connection may send a second, for ever',
      ),
      bufferBytesMax: bytes(256 << 20, 1 << 20, 'unsent bytes at which a connection is closed'),
      viewsMax: count(100_000, 10_000_000).describe('views that are open or kept'),
      rowsPerViewMax: count(100_000, 10_000_000).describe('rows of one view'),
      bytesPerViewMax: bytes(
        256 << 20,
        1024,
        'what is read at once for one view, by the length of the texts: a result of more is refused',
      ),
      rowsHeldPerViewMax: count(200_000, 10_000_000).describe(
        'rows of tables that are read to maintain one view; a view that needs more is run again instead',
      ),
      heldBytesMax: bytes(
        1 << 30,
        1 << 20,
        'what all views hold together, by estimate; beyond it idle ones go, then what is kept of re-run views, then the incremental ones that hold most are run again',
      ),
      statementTimeoutMs: ms(30_000, 1).describe('a hydration or re-run that takes longer fails'),
      rerunRestFactor: count(3, 1_000).describe(
        'a re-run of more than 50 ms is followed by a rest of so many times as long as it took',
      ),
      fetchConcurrency: count(4, 1_000).describe('reads at a snapshot at a time, below poolMax'),
      fetchQueueMax: count(1_000, 1_000_000).describe('reads at a snapshot that may wait for their turn'),
      transactionBytesMax: bytes(
        64 << 20,
        1 << 16,
        'changes of one transaction beyond this are dropped, and the views of its tables hydrated anew',
      ),
      retainedBytesMax: bytes(
        256 << 20,
        1 << 16,
        'decoded transactions kept for reads at a snapshot; beyond it such reads start again',
      ),
    })
    .prefault({}),
  holdMs: ms(100).describe('how long a slow view may hold a connection before it is shown as behind'),
  keepMs: ms(60_000).describe('how long a view without subscriptions is kept'),
  graceMs: ms(5_000).describe('how long clients are given to go elsewhere when this server stops'),
  pollMs: ms(1_000, 10).describe('how often the catalog is polled for changes of the schema'),
  visible: z
    .boolean()
    .default(false)
    .describe('moves wait until a snapshot sees their commits (synchronous replication)'),
  maxRetainedWalBytes: bytes(1 << 30, 1 << 20, 'the WAL that our slot may hold back before it is given up'),
  poolMax: count(10, 1_000).describe(
    'connections of the pool for reads; five more are used for the stream, the catalog and planning',
  ),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('the least serious lines of the log'),
  viewsThread: z.boolean().default(false).describe('run source, planner and views in a thread of their own'),
});

/** The schema takes exactly what the public type offers: does not compile when they part. */
const mirrors = (config: SluiceConfig): unknown => config satisfies Loose<z.input<typeof schema>>;
void mirrors;
type Loose<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends readonly (infer E)[]
    ? readonly Loose<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Loose<T[K]> }
      : T;

/**
 * Checks a configuration and fills in the defaults.
 * @param origins where a key came from when not from the configuration itself: `SLUICE_PORT`, `--port`
 * @throws SluiceError `config_key_unknown`, `config_invalid`. The detail names keys, never values.
 */
export function parseConfig(input: unknown, origins: ReadonlyMap<string, string> = new Map()): Config {
  const parsed = schema.safeParse(input, { reportInput: false });
  if (parsed.success) return complete(parsed.data);
  const lines = parsed.error.issues.flatMap((issue) => describe(issue, origins));
  const unknown = parsed.error.issues.some((issue) => issue.code === 'unrecognized_keys');
  throw configError(unknown ? 'config_key_unknown' : 'config_invalid', lines.join('\n'));
}

function complete(parsed: z.output<typeof schema>): Config {
  return {
    ...parsed,
    auth: parsed.auth,
    onError: parsed.onError,
    explain: parsed.explain,
    resolve: parsed.resolve,
    db: parsed.db,
    drizzle: parsed.drizzle,
    database: parsed.database && present(parsed.database),
    replication: parsed.replication && present(parsed.replication),
    queries: Object.fromEntries(
      Object.entries(parsed.queries).map(([name, definition]) => [
        name,
        typeof definition === 'function' || isNamedQuery(definition) ? definition : present(definition),
      ]),
    ),
  };
}

type Present<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Present<Exclude<T[K], undefined>> }
    : T;

/** Without the keys that are undefined: our types say "absent". */
function present<T extends object>(value: T): Present<T> {
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .map(([key, part]: [string, unknown]) => [key, isPlain(part) ? present(part) : part]);
  return Object.fromEntries(entries) as Present<T>;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON Schema of what may be written, for flags and documentation. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

function describe(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>): string[] {
  const path = issue.path.map(String).join('.');
  const origin = origins.get(path);
  const name = path === '' ? 'the configuration' : origin === undefined ? path : `${path} (${origin})`;
  if (issue.code !== 'unrecognized_keys') return [`${name} ${complaint(issue)}`];
  return issue.keys.map((key) => {
    const nearest = closest(key, keysAt(issue.path));
    const place = path === '' ? '' : ` in ${path}`;
    const known = keysAt(issue.path).join(', ');
    return nearest === null
      ? `unknown key "${key}"${place}; known are ${known}`
      : `unknown key "${key}"${place}: did you mean "${nearest}"?`;
  });
}

function complaint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${ARTICLES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return issue.message.startsWith('must') ? issue.message : 'has the wrong type';
    default:
      return issue.message.startsWith('Invalid') ? 'has the wrong type' : issue.message;
  }
}

const ARTICLES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** The names that may stand at a path of the configuration. */
function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let node: unknown = configJsonSchema();
  for (const step of path) node = member(member(node, 'properties'), String(step));
  const properties = member(node, 'properties');
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function closest(wrong: string, known: readonly string[]): string | null {
  const near = known
    .map((key) => ({ key, distance: leven(wrong.toLowerCase(), key.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= Math.max(2, wrong.length / 3) ? near.key : null;
}
