import type { Run } from '../source/source.js';
import type { References } from './references.js';

/** Oids from here on belong to users; below are Postgres's own (Postgres source, `FirstNormalObjectId`). */
export const FIRST_USER_OID = 16384;

/** What the catalog says of the names that a statement uses. */
export interface Lookup {
  /** Schemas that unqualified names are looked up in, in order, the implicit ones included. */
  readonly path: readonly string[];
  readonly relations: readonly FoundRelation[];
  readonly functions: readonly FoundFunction[];
  /** Operators of users, by the names that the statement uses. */
  readonly operators: readonly FoundOperator[];
  readonly types: readonly FoundType[];
  /** Casts of users, all of them: one that is implicit has no syntax. */
  readonly casts: readonly FoundCast[];
}

export interface FoundRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind. */
  readonly kind: string;
  readonly persistence: string;
}

export interface FoundFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As `regprocedure` prints it. */
  readonly signature: string;
  readonly args: readonly number[];
  readonly defaults: number;
  readonly variadic: boolean;
  /** pg_proc.prokind. */
  readonly kind: string;
  readonly volatility: 'i' | 's' | 'v';
  readonly securityDefiner: boolean;
  readonly language: string;
  readonly result: number;
  readonly returnsSet: boolean;
  /** The extension that it belongs to. */
  readonly extension: string | null;
  /** The first argument may be a row. */
  readonly takesRow: boolean;
}

export interface FoundOperator {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly left: number;
  readonly right: number;
  readonly function: number;
}

export interface FoundType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface FoundCast {
  readonly source: number;
  readonly target: number;
  /** pg_cast.castcontext: implicit, in assignments, explicit. */
  readonly context: 'i' | 'a' | 'e';
  readonly function: number;
}

const FUNCTION_JSON = `json_build_object('oid', p.oid::int8, 'schema', n.nspname, 'name', p.proname,
  'signature', p.oid::regprocedure::text, 'args', p.proargtypes::oid[]::int8[], 'defaults', p.pronargdefaults,
  'variadic', p.provariadic <> 0, 'kind', p.prokind, 'volatility', p.provolatile, 'securityDefiner', p.prosecdef,
  'language', l.lanname, 'result', p.prorettype::int8, 'returnsSet', p.proretset,
  'extension', (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass
                  AND d.deptype = 'e'),
  'takesRow', p.pronargs > 0 AND EXISTS (SELECT FROM pg_type t LEFT JOIN pg_type b ON b.oid = t.typbasetype
              WHERE t.oid = p.proargtypes[0] AND (t.typtype IN ('c', 'p') OR b.typtype = 'c')))`;
const FUNCTION_FROM = `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang`;

const LOOKUP_SQL = `
SELECT json_build_object(
  'path', current_schemas(true),
  'relations', (SELECT coalesce(json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname,
      'kind', c.relkind, 'persistence', c.relpersistence)), '[]')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY ($1::text[]) AND c.relkind NOT IN ('i', 'I', 't')),
  'functions', (SELECT coalesce(json_agg(${FUNCTION_JSON}), '[]') FROM ${FUNCTION_FROM}
    WHERE p.proname = ANY ($2::text[])),
  'operators', (SELECT coalesce(json_agg(json_build_object('oid', o.oid::int8, 'schema', n.nspname, 'name', o.oprname,
      'left', o.oprleft::int8, 'right', o.oprright::int8, 'function', o.oprcode::oid::int8)), '[]')
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oid >= ${FIRST_USER_OID} AND o.oprname = ANY ($3::text[])),
  'types', (SELECT coalesce(json_agg(json_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname)), '[]')
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typname = ANY ($4::text[])),
  'casts', (SELECT coalesce(json_agg(json_build_object('source', castsource::int8, 'target', casttarget::int8, 'context', castcontext,
      'function', castfunc::int8)), '[]') FROM pg_cast WHERE castfunc >= ${FIRST_USER_OID}))`;

/** One round trip for everything that a statement names. */
export async function lookUp(run: Run, references: References): Promise<Lookup> {
  const functions = [...references.functions.map((f) => f.name), ...references.attributes];
  const { rows } = await run(LOOKUP_SQL, [
    textArray(references.relations.map((relation) => relation.name)),
    textArray(functions),
    textArray(references.operators.map((operator) => operator.name)),
    textArray(references.types.map((type) => type.name)),
  ]);
  return JSON.parse(rows[0]?.[0] ?? 'null') as Lookup;
}

export async function functionsByOid(run: Run, oids: readonly number[]): Promise<readonly FoundFunction[]> {
  const { rows } = await run(`SELECT ${FUNCTION_JSON} FROM ${FUNCTION_FROM} WHERE p.oid = ANY ($1::oid[])`, [
    `{${oids.join(',')}}`,
  ]);
  return rows.map((row) => JSON.parse(row[0] ?? 'null') as FoundFunction);
}

/** Relations, functions and operators' functions that an object depends on, as Postgres recorded it. */
export interface Recorded {
  readonly relations: readonly FoundRelation[];
  readonly functions: readonly number[];
}

const RECORDED_SQL = `
WITH d AS (SELECT refclassid, refobjid FROM pg_depend WHERE classid = $1::text::regclass AND objid = ANY (
    SELECT oid FROM pg_rewrite WHERE $1::text = 'pg_rewrite' AND ev_class = $2::oid
    UNION ALL SELECT $2::oid WHERE $1::text <> 'pg_rewrite') AND deptype <> 'e'
  UNION SELECT 'pg_proc'::regclass::oid, conf.refobjid FROM pg_constraint k JOIN pg_depend conf
    ON conf.classid = 'pg_constraint'::regclass AND conf.objid = k.oid AND conf.refclassid = 'pg_proc'::regclass
    WHERE $1::text = 'pg_type' AND k.contypid = $2::oid)
SELECT json_build_object(
  'relations', (SELECT coalesce(json_agg(DISTINCT jsonb_build_object('oid', c.oid::int8, 'schema', n.nspname,
      'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence)), '[]')
    FROM d JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT ($1::text = 'pg_rewrite' AND c.oid = $2::oid)),
  'functions', (SELECT coalesce(json_agg(DISTINCT f.oid), '[]') FROM (
    SELECT d.refobjid::int8 AS oid FROM d WHERE d.refclassid = 'pg_proc'::regclass
    UNION SELECT o.oprcode::oid::int8 FROM d JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass
      AND o.oid = d.refobjid) f WHERE NOT ($1::text = 'pg_proc' AND f.oid = $2::oid::int8)))`;

export async function recordedDependencies(
  run: Run,
  catalog: 'pg_rewrite' | 'pg_proc' | 'pg_type',
  oid: number,
): Promise<Recorded> {
  const { rows } = await run(RECORDED_SQL, [catalog, String(oid)]);
  return JSON.parse(rows[0]?.[0] ?? 'null') as Recorded;
}

export interface FunctionSource {
  /** `CREATE OR REPLACE FUNCTION …`, as Postgres prints it. */
  readonly definition: string;
  readonly body: string;
  /** A standard SQL body (BEGIN ATOMIC, RETURN): its dependencies are recorded. */
  readonly atomic: boolean;
  /** `SET search_path` of the function. */
  readonly searchPath: string | null;
}

export async function functionSource(run: Run, oid: number): Promise<FunctionSource> {
  const { rows } = await run(
    `SELECT json_build_object('definition', CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(oid) ELSE '' END,
       'body', coalesce(pg_get_function_sqlbody(oid), prosrc), 'atomic', prosqlbody IS NOT NULL,
       'searchPath', (SELECT substr(s, 13) FROM unnest(proconfig) s WHERE s LIKE 'search_path=%'))
     FROM pg_proc WHERE oid = $1::oid`,
    [String(oid)],
  );
  return JSON.parse(rows[0]?.[0] ?? 'null') as FunctionSource;
}

export async function viewDefinition(run: Run, oid: number): Promise<string> {
  return (await run('SELECT pg_get_viewdef($1::oid)', [String(oid)])).rows[0]?.[0] ?? '';
}

/** A Postgres array literal of texts. */
export function textArray(values: readonly (string | null)[]): string {
  const quoted = values.map((value) =>
    value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return `{${quoted.join(',')}}`;
}
