import { SluiceError } from '@sluice/core/errors';
import type pg from 'pg';
import { querySettings } from '../source/database.js';
import { quoteIdentifier } from '../source/quote.js';
import { RAW_TEXT } from '../source/run-on.js';
import type { Run } from '../source/source.js';
import { analysisError } from './errors.js';
import { oidsOf, readFacts, visitNodes, type Facts } from './facts.js';
import { readNodeTree, type TreeNode, type TreeValue } from './node-tree.js';
import type { Query } from './query-tree.js';
import { queryNode, readQuery } from './read-query.js';
import { numberOf, tagOf, textOf } from './tree-fields.js';

/**
 * Postgres itself resolves a query: it becomes the body of a function of one transaction, which is rolled back.
 *
 *   BEGIN READ WRITE; SET LOCAL …              as the service role, with the schemas of the client role's search_path
 *   CREATE FUNCTION pg_temp.sluice_plan(…) … BEGIN ATOMIC <the query>; END     analysed, neither planned nor run
 *   SELECT prosqlbody …                        Postgres's own tree: every name an oid
 *   SELECT ev_action … (views), what the catalog says of the oids
 *   ROLLBACK                                   no row, no lock, no message of the stream is left
 *
 * A transaction of its own, nothing of it outliving it, so that it works through a transaction pooler. What it takes:
 * TEMPORARY on the database, a server that takes writes, and event triggers that do not object.
 */
export interface AnalysisRequest {
  /** Exactly one SELECT, as Postgres's own grammar says; the caller has seen to that. */
  readonly sql: string;
  /** Castable names of the types of `$1`, `$2`, … as PREPARE resolves them. */
  readonly paramTypes: readonly string[];
  /** The client role's search_path: see `readSchemas`. */
  readonly schemas: readonly string[];
  /** For each statement. Default 5,000. */
  readonly timeoutMs?: number;
  /** Of the trees of the query and of its views together. Default 4 MB. */
  readonly bytesMax?: number;
  /**
   * Called in the same transaction once the query is read: what it reads is locked against DDL until then. What it
   * throws, `analyse` throws.
   */
  readonly verify?: (run: Run) => Promise<void>;
}

export type Analysis =
  | { readonly kind: 'analysed'; readonly query: Query; readonly facts: Facts; readonly major: number }
  /** Why the query is re-run; `transient` when it may be had another time. */
  | { readonly kind: 'unavailable'; readonly reason: string; readonly transient: boolean };

/** Where a connection as the service role comes from. */
export interface AnalysisConnections {
  connect(): Promise<pg.PoolClient>;
}

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 4_000_000;
/** Views within views. */
const VIEW_LEVELS_MAX = 64;
/** How much longer than the server's own limit an answer is waited for. */
const ANSWER_MARGIN_MS = 2_000;

/** The schemas that bare names are looked up in by whoever the session is: `"$user"` resolved, what may not be used left out. */
export async function readSchemas(run: Run): Promise<readonly string[]> {
  const { rows } = await run('SELECT pg_catalog.to_json(pg_catalog.current_schemas(false))');
  return JSON.parse(rows[0]?.[0] ?? '[]') as readonly string[];
}

class Unverified extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super('not verified');
    this.reason = reason;
  }
}

/** Never throws for what the world does: a query that cannot be analysed is as good as before, only re-run. */
export async function analyse(connections: AnalysisConnections, request: AnalysisRequest): Promise<Analysis> {
  try {
    const { tree, views, facts, major } = await ask(connections, request);
    return { kind: 'analysed', query: readQuery(tree, { facts, views }), facts, major };
  } catch (error) {
    if (error instanceof Unverified) throw error.reason;
    return unavailable(error);
  }
}

interface Answers {
  readonly tree: TreeValue;
  readonly views: ReadonlyMap<number, TreeNode>;
  readonly facts: Facts;
  readonly major: number;
}

async function ask(connections: AnalysisConnections, request: AnalysisRequest): Promise<Answers> {
  const client = await connections.connect();
  const timeoutMs = Math.trunc(request.timeoutMs ?? TIMEOUT_MS);
  let broken = false;
  const breaks = (): void => void (broken = true);
  client.on('error', breaks);
  const run = runWithin(client, timeoutMs + ANSWER_MARGIN_MS, breaks);
  try {
    const major = await begin(client, request.schemas, timeoutMs);
    const trees = await readTrees(run, request, major);
    await request.verify?.(run).catch((error: unknown) => {
      throw new Unverified(error);
    });
    return { ...trees, major };
  } finally {
    if (!broken) await client.query('ROLLBACK').catch(breaks);
    client.removeListener('error', breaks);
    client.release(broken);
  }
}

// The default of `jsonb_set`'s last argument, true, shows how the server lays out a word.
const FIRST_QUESTION = `SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_encoding'),
  (SELECT proargdefaults::text LIKE '%:constvalue 1 [ 1 0 0 0%' FROM pg_catalog.pg_proc WHERE oid = 3305),
  pg_catalog.to_json(pg_catalog.current_schemas(false)), pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')`;

/** @returns the major version of the server. */
async function begin(client: pg.PoolClient, schemas: readonly string[], timeoutMs: number): Promise<number> {
  const path = [...schemas, 'pg_temp'].map((name) => quoteIdentifier(name)).join(', ');
  const text = [
    'BEGIN READ WRITE',
    ...querySettings(),
    'SET LOCAL check_function_bodies = off',
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    `SET LOCAL lock_timeout = ${timeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs * 2}`,
    `SET LOCAL search_path = ${path}`,
    FIRST_QUESTION,
  ].join('; ');
  const config = { text, rowMode: 'array', types: RAW_TEXT, query_timeout: timeoutMs + ANSWER_MARGIN_MS };
  const results: unknown = await client.query(config as pg.QueryArrayConfig).catch((error: unknown) => {
    // feature_not_supported: READ WRITE, while it recovers.
    throw codeOf(error) === '0A000' ? refused(STANDBY) : error;
  });
  const last = (results as readonly pg.QueryArrayResult<(string | null)[]>[]).at(-1);
  const [version, encoding, littleEndian, seen, temporary] = last?.rows[0] ?? [];
  if (temporary !== 't')
    throw refused('the service role may not create temporary objects (GRANT TEMPORARY ON DATABASE)');
  if (encoding !== 'UTF8') throw refused('the database is not encoded in UTF-8');
  if (littleEndian !== 't') throw refused('the server runs on a processor of another byte order');
  const usable = (JSON.parse(seen ?? '[]') as readonly string[]).filter(
    (name) => !/^pg_temp_\d+$/.test(name),
  );
  if (JSON.stringify(usable) !== JSON.stringify(schemas))
    throw refused(
      "the service role may not use all schemas of the client role's search_path (GRANT USAGE ON SCHEMA)",
    );
  return Math.floor(Number(version) / 10_000);
}

const NAME = 'sluice_plan';
const TREE_SQL = `SELECT pg_catalog.octet_length(t.body), CASE WHEN pg_catalog.octet_length(t.body) <= $1::pg_catalog.int4 THEN t.body END
  FROM (SELECT prosqlbody::text AS body FROM pg_catalog.pg_proc
    WHERE proname = '${NAME}' AND pronamespace = pg_catalog.pg_my_temp_schema() AND xmin = pg_catalog.pg_current_xact_id()::xid) AS t`;

async function readTrees(run: Run, request: AnalysisRequest, major: number): Promise<Omit<Answers, 'major'>> {
  const bytesMax = request.bytesMax ?? BYTES_MAX;
  // One message of the extended protocol takes one statement only, whatever the text is.
  await run(`CREATE FUNCTION pg_temp.${NAME}(${request.paramTypes.join(', ')}) RETURNS SETOF pg_catalog.record
LANGUAGE sql STABLE BEGIN ATOMIC ${request.sql}
; END`);
  const { rows } = await run(TREE_SQL, [String(bytesMax)]);
  const [row] = rows;
  if (row === undefined || row[0] === null) throw refused('Postgres did not keep the query');
  const text = row[1] ?? null;
  if (text === null) throw refused(`its tree is larger than bytesMax (${bytesMax})`);
  const tree = readNodeTree(text);
  const views = await readViews(run, tree, bytesMax - Number(row[0]));
  const facts = await readFacts(run, oidsOf([tree, ...views.values()]), major);
  return { tree, views, facts };
}

const VIEWS_SQL = `SELECT ev_class::pg_catalog.text, pg_catalog.octet_length(ev_action::pg_catalog.text),
  CASE WHEN pg_catalog.sum(pg_catalog.octet_length(ev_action::pg_catalog.text)) OVER () <= $2::pg_catalog.int4 THEN ev_action::pg_catalog.text END
  FROM pg_catalog.pg_rewrite WHERE ev_type = '1' AND is_instead AND ev_class = ANY ($1::pg_catalog.oid[])`;

/** The views that a tree reads through, and those that they read through. */
async function readViews(
  run: Run,
  tree: TreeValue,
  bytesMax: number,
): Promise<ReadonlyMap<number, TreeNode>> {
  const views = new Map<number, TreeNode>();
  let left = bytesMax;
  let open = viewsIn([tree], views);
  for (let level = 0; open.size > 0; level++) {
    if (level === VIEW_LEVELS_MAX)
      throw refused(`it reads through views nested deeper than ${VIEW_LEVELS_MAX}`);
    const { rows } = await run(VIEWS_SQL, [`{${[...open].join(',')}}`, String(left)]);
    const found: TreeNode[] = [];
    for (const [oid, size, text] of rows) {
      if (text === null || text === undefined)
        throw refused('the trees of its views are larger than bytesMax');
      const node = queryNode(readNodeTree(text));
      views.set(Number(oid), node);
      found.push(node);
      left -= Number(size);
    }
    open = viewsIn(found, views);
  }
  return views;
}

function viewsIn(trees: readonly TreeValue[], known: ReadonlyMap<number, TreeNode>): ReadonlySet<number> {
  const oids = new Set<number>();
  for (const tree of trees)
    visitNodes(tree, (node) => {
      if (
        tagOf(node) !== 'RANGETBLENTRY' ||
        textOf(node, 'rtekind') !== '0' ||
        textOf(node, 'relkind') !== 'v'
      )
        return;
      const oid = numberOf(node, 'relid');
      if (!known.has(oid)) oids.add(oid);
    });
  return oids;
}

/** Each statement by the extended protocol; an answer that does not come leaves the connection unusable. */
function runWithin(client: pg.PoolClient, answerMs: number, breaks: () => void): Run {
  return async (text, params = []) => {
    const config = { text, values: [...params], rowMode: 'array', types: RAW_TEXT, queryMode: 'extended' };
    try {
      const result = await client.query<(string | null)[]>({
        ...config,
        query_timeout: answerMs,
      } as pg.QueryArrayConfig);
      return { fields: [], rows: result.rows };
    } catch (error) {
      if (codeOf(error) === null) breaks();
      throw error;
    }
  };
}

function refused(reason: string): Error {
  return analysisError('analysis_unavailable', reason);
}

const STANDBY = 'the server is a standby, or takes no writes';

/** What each SQLSTATE means here; Postgres's own words could hold values of the query. */
const STATES: Readonly<Record<string, readonly [reason: string, transient: boolean]>> = {
  '25006': [STANDBY, false],
  '42501': [
    'the service role may not use a schema, a type or a language that the query needs (GRANT USAGE)',
    false,
  ],
  '57014': ['Postgres did not analyse the query in time', true],
  '55P03': ['a table of the query stayed locked', true],
  '40P01': ['a table of the query stayed locked', true],
};

function unavailable(error: unknown): Analysis {
  if (error instanceof SluiceError) {
    const known = error.code === 'analysis_unavailable' || error.code === 'analysis_unreadable';
    const reason = known ? (error.detail ?? error.message) : error.message;
    return { kind: 'unavailable', reason, transient: !known && error.retry };
  }
  const code = codeOf(error);
  if (code === null) return { kind: 'unavailable', reason: 'Postgres could not be reached', transient: true };
  const [reason, transient] = STATES[code] ?? [
    `Postgres, or an event trigger, does not take the query as the body of a function (SQLSTATE ${code})`,
    /^(08|53|57|58)/.test(code),
  ];
  return { kind: 'unavailable', reason, transient };
}

/** The SQLSTATE; null when Postgres did not answer. */
function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
