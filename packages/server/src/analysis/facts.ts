import { hasUsualCase } from '@sluice/core/expression/ascii-case';
import type { Run } from '../source/source.js';
import type { TypeUse } from './query-tree.js';
import { isList, isNode, type TreeNode, type TreeValue } from './node-tree.js';

/** What the catalog says of the oids in a tree. */
export interface Facts {
  readonly functions: ReadonlyMap<number, FunctionFact>;
  readonly operators: ReadonlyMap<number, OperatorFact>;
  readonly types: ReadonlyMap<number, TypeFact>;
  readonly collations: ReadonlyMap<number, CollationFact>;
  /** Implicit casts between the types, by `source:target`. */
  readonly casts: ReadonlyMap<string, CastFact>;
  readonly relations: ReadonlyMap<number, RelationFact>;
}

export interface FunctionFact {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_proc.prosrc: of one of Postgres's own, the name of its C function. */
  readonly source: string;
  readonly language: string;
  /** pg_proc.prokind: f, a, w, p. */
  readonly kind: string;
  readonly volatility: 'i' | 's' | 'v';
  readonly strict: boolean;
  /** Names of its OUT arguments or of the columns of its TABLE; null when it has none. */
  readonly outputs: readonly string[] | null;
  /** `name(types)`, as `format_type` prints them. */
  readonly signature: string;
  /** Takes arguments of any type, so that only the call says which. */
  readonly polymorphic: boolean;
  /** Postgres's planner knows more of it than what it does. */
  readonly simplified: boolean;
}

export interface OperatorFact {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** 0 when there is none. */
  readonly left: number;
  readonly fn: number;
  /** What it is to a btree: less, or greater; null for any other operator. */
  readonly order: 'less' | 'greater' | null;
}

export interface TypeFact {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_type.typtype. */
  readonly kind: string;
  /** The type of arrays of it; an array has none. */
  readonly array: number | null;
  /** Of an array. */
  readonly element: number | null;
  /** Of a domain. */
  readonly base: number | null;
  /** Of an enum: the label of each of its values by oid. */
  readonly labels: Readonly<Record<string, string>> | null;
  /** Of an enum: its labels in its order. */
  readonly ordered: readonly string[] | null;
  /** Of a range: what it is a range of. */
  readonly subtype: number | null;
  /** Of a multirange: the type of its ranges. */
  readonly range: number | null;
  /** Of a range: the C function that gives it its form; null where it stays as it is made. */
  readonly canonical: string | null;
  /** pg_type.typinput and typoutput, by their C functions. */
  readonly input: string;
  readonly output: string;
  /** Of a composite type: the names of its fields by attnum. */
  readonly fields: Readonly<Record<string, string>> | null;
  /** Their types, likewise. */
  readonly fieldTypes: Readonly<Record<string, TypeUse>> | null;
  /** pg_type.typlen and typalign: how its values lie within an array. */
  readonly length: number;
  readonly align: string;
}

export interface CollationFact {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly deterministic: boolean;
  /** Orders by bytes, and knows the case of ASCII alone. */
  readonly bytewise: boolean;
  /** Orders by bytes, whatever it knows of case. */
  readonly ordersByBytes: boolean;
  /** Letters change their case under it as they do everywhere, or those of ASCII alone do. */
  readonly usualCase: boolean;
}

export interface CastFact {
  readonly source: number;
  readonly target: number;
  readonly fn: number;
  /** pg_cast.castmethod: f a function, i through text, b the bytes are the same. */
  readonly method: string;
}

export interface RelationFact {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  /** A view that nothing of the query around it may be evaluated before: security_barrier. */
  readonly barrier: boolean;
  /** By attnum. */
  readonly columns: Readonly<Record<string, string>>;
}

/** Oids by what they name. */
export interface Oids {
  readonly functions: Set<number>;
  readonly operators: Set<number>;
  readonly types: Set<number>;
  readonly collations: Set<number>;
  readonly relations: Set<number>;
}

const FUNCTION_FIELD = /^(funcid|opfuncid|aggfnoid|winfnoid|hashfuncid|startInRangeFunc|endInRangeFunc)$/;
const OPERATOR_FIELD = /^(opno|opnos|eqop|sortop|cycle_mark_neop)$/;
const TYPE_FIELD =
  /^(vartype|consttype|paramtype|aggtype|wintype|refcontainertype|refrestype|funcresulttype|opresulttype|resulttype|array_typeid|element_typeid|row_typeid|casetype|coalescetype|minmaxtype|type|typeId|typid|colTypes|coltypes|funccoltypes|ctecoltypes|cycle_mark_type)$/;
const COLLATION_FIELD = /(coll|collid|collids|collations?|collOid|Collations?)$/;

export const TEXT_LESS = 664;
export const TEXT_GREATER = 666;
export const C_COLLATION = 950;

/** Every oid that trees name, by the fields that hold them. */
export function oidsOf(trees: readonly TreeValue[]): Oids {
  const oids: Oids = {
    functions: new Set(),
    // What texts are ordered by where it is not their own collation: < and > under "C".
    operators: new Set([TEXT_LESS, TEXT_GREATER]),
    types: new Set([25]),
    collations: new Set([C_COLLATION]),
    relations: new Set(),
  };
  for (const tree of trees) visitNodes(tree, (node) => addOids(node, oids));
  return oids;
}

export function visitNodes(value: TreeValue, visit: (node: TreeNode) => void): void {
  if (isList(value)) for (const item of value) visitNodes(item, visit);
  if (!isNode(value)) return;
  visit(value);
  for (const field of value.fields.values()) if (typeof field === 'object') visitNodes(field, visit);
}

function addOids(node: TreeNode, oids: Oids): void {
  for (const [name, value] of node.fields) {
    if (typeof value !== 'string' && !isList(value)) continue;
    const into = FUNCTION_FIELD.test(name)
      ? oids.functions
      : OPERATOR_FIELD.test(name)
        ? oids.operators
        : TYPE_FIELD.test(name)
          ? oids.types
          : COLLATION_FIELD.test(name)
            ? oids.collations
            : name === 'relid'
              ? oids.relations
              : null;
    if (into === null) continue;
    for (const one of typeof value === 'string' ? [value] : value)
      if (typeof one === 'string' && /^[1-9]\d*$/.test(one)) into.add(Number(one));
  }
}

// A type brings those that it is made of; an operator its function; a cast the same.
const FACTS_SQL = `
WITH RECURSIVE types AS (
  SELECT oid FROM pg_catalog.pg_type WHERE oid = ANY ($3::oid[])
  UNION SELECT u.oid FROM types JOIN pg_catalog.pg_type t USING (oid), LATERAL (VALUES (t.typelem), (t.typbasetype),
    ((SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid)),
    ((SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid))
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
    WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS u (oid) WHERE u.oid <> 0
), casts AS (
  SELECT castsource, casttarget, castfunc, castmethod FROM pg_catalog.pg_cast
  WHERE castcontext = 'i' AND castsource IN (SELECT oid FROM types) AND casttarget IN (SELECT oid FROM types)
), operators AS (
  SELECT oid, oprname, oprnamespace, oprleft, oprcode FROM pg_catalog.pg_operator WHERE oid = ANY ($2::oid[])
), functions AS (
  SELECT unnest($1::oid[]) UNION SELECT oprcode FROM operators UNION SELECT castfunc FROM casts
)
SELECT json_build_object(
  'functions', (SELECT json_agg(json_build_object('oid', p.oid::int8, 'schema', n.nspname, 'name', p.proname, 'source', p.prosrc,
      'language', l.lanname, 'kind', p.prokind, 'volatility', p.provolatile, 'strict', p.proisstrict, 'simplified', p.prosupport::oid <> 0,
      'signature', p.proname || '(' || (SELECT coalesce(string_agg(pg_catalog.format_type(a.oid, NULL), ',' ORDER BY a.at), '')
        FROM unnest(p.proargtypes) WITH ORDINALITY AS a(oid, at)) || ')',
      'polymorphic', EXISTS (SELECT FROM unnest(p.proargtypes) AS a(oid) JOIN pg_catalog.pg_type t ON t.oid = a.oid WHERE t.typtype = 'p'),
      'outputs', (SELECT json_agg(p.proargnames[m.at] ORDER BY m.at) FROM unnest(p.proargmodes) WITH ORDINALITY AS m(mode, at)
        WHERE m.mode IN ('o', 'b', 't'))))
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid IN (SELECT * FROM functions)),
  'operators', (SELECT json_agg(json_build_object('oid', o.oid::int8, 'schema', n.nspname, 'name', o.oprname, 'left', o.oprleft::int8,
      'fn', o.oprcode::oid::int8, 'order', (SELECT CASE min(a.amopstrategy) WHEN 1 THEN 'less' WHEN 5 THEN 'greater' END
        FROM pg_catalog.pg_amop a JOIN pg_catalog.pg_am m ON m.oid = a.amopmethod
        WHERE a.amopopr = o.oid AND m.amname = 'btree' AND a.amoppurpose = 's' AND a.amopstrategy IN (1, 5))))
    FROM operators o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace),
  'types', (SELECT json_agg(json_build_object('oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
      'element', CASE WHEN t.typsubscript = 'pg_catalog.array_subscript_handler'::regproc THEN t.typelem::int8 END,
      'array', nullif(t.typarray, 0)::int8,
      'base', nullif(t.typbasetype, 0)::int8, 'length', t.typlen, 'align', t.typalign,
      'fields', CASE WHEN t.typtype = 'c' THEN (SELECT json_object_agg(a.attnum, a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END,
      'fieldTypes', CASE WHEN t.typtype = 'c' THEN (SELECT json_object_agg(a.attnum, json_build_object('oid', a.atttypid::int8,
          'modifier', a.atttypmod, 'collation', a.attcollation::int8)) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END,
      'ordered', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
      'subtype', (SELECT r.rngsubtype::int8 FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid),
      'range', (SELECT r.rngtypid::int8 FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid),
      'canonical', (SELECT p.prosrc FROM pg_catalog.pg_range r JOIN pg_catalog.pg_proc p ON p.oid = r.rngcanonical WHERE r.rngtypid = t.oid),
      'input', (SELECT p.prosrc FROM pg_catalog.pg_proc p WHERE p.oid = t.typinput),
      'output', (SELECT p.prosrc FROM pg_catalog.pg_proc p WHERE p.oid = t.typoutput),
      'labels', (SELECT json_object_agg(e.oid::text, e.enumlabel) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)))
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.oid IN (SELECT oid FROM types)),
  'collations', (SELECT json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.collname,
      'deterministic', c.collisdeterministic,
      'bytewise', CASE WHEN c.oid = 100 THEN (SELECT d.datcollate IN ('C', 'POSIX') AND d.datctype IN ('C', 'POSIX') AND %PROVIDER% FROM pg_catalog.pg_database d
          WHERE d.datname = current_database())
        ELSE c.oid IN (950, 951) OR (c.oid < 16384 AND c.collname = 'ucs_basic') END,
      'provider', CASE WHEN c.oid = 100 THEN coalesce(pg_catalog.to_jsonb(d)->>'datlocprovider', 'c') ELSE c.collprovider::text END,
      'locale', CASE WHEN c.oid = 100
        THEN coalesce(pg_catalog.to_jsonb(d)->>'datlocale', pg_catalog.to_jsonb(d)->>'daticulocale', d.datctype)
        ELSE coalesce(pg_catalog.to_jsonb(c)->>'colllocale', pg_catalog.to_jsonb(c)->>'colliculocale', pg_catalog.to_jsonb(c)->>'collctype') END))
    FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
    JOIN pg_catalog.pg_database d ON d.datname = current_database() WHERE c.oid = ANY ($4::oid[])),
  'casts', (SELECT json_agg(json_build_object('source', castsource::int8, 'target', casttarget::int8, 'fn', castfunc::int8,
      'method', castmethod)) FROM casts),
  'relations', (SELECT json_agg(json_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
      'barrier', EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) AS o
        WHERE o.option_name = 'security_barrier' AND o.option_value::bool),
      'columns', (SELECT json_object_agg(a.attnum, a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($5::oid[])))`;

/** @param major of the server: only from 15 on may the database's own collation be one of ICU. */
export async function readFacts(run: Run, oids: Oids, major: number): Promise<Facts> {
  const sql = FACTS_SQL.replace('%PROVIDER%', major < 15 ? 'true' : `d.datlocprovider = 'c'`);
  const params = [oids.functions, oids.operators, oids.types, oids.collations, oids.relations].map(
    (set) => `{${[...set].join(',')}}`,
  );
  const { rows } = await run(sql, params);
  const json = JSON.parse(rows[0]?.[0] ?? '{}') as FactsJson;
  return {
    functions: byOid(json.functions),
    operators: byOid(json.operators),
    types: byOid(json.types),
    collations: byOid((json.collations ?? []).map(collationFact)),
    casts: new Map((json.casts ?? []).map((cast) => [`${cast.source}:${cast.target}`, cast])),
    relations: byOid(json.relations),
  };
}

interface FactsJson {
  readonly functions: readonly FunctionFact[] | null;
  readonly operators: readonly OperatorFact[] | null;
  readonly types: readonly TypeFact[] | null;
  readonly collations: readonly CollationJson[] | null;
  readonly casts: readonly CastFact[] | null;
  readonly relations: readonly RelationFact[] | null;
}

type CollationJson = Omit<CollationFact, 'ordersByBytes' | 'usualCase'> & {
  /** pg_collation.collprovider, of the database where it is its own: c, i, b. */
  readonly provider: string;
  readonly locale: string | null;
};

/** The builtin provider has no order but that of code points; its "C" is that of the C library. */
function collationFact({ provider, locale, ...fact }: CollationJson): CollationFact {
  const bytewise = fact.bytewise || (provider === 'b' && locale === 'C');
  return {
    ...fact,
    bytewise,
    ordersByBytes: bytewise || provider === 'b',
    usualCase: bytewise || hasUsualCase(locale ?? ''),
  };
}

function byOid<T extends { readonly oid: number }>(list: readonly T[] | null): ReadonlyMap<number, T> {
  return new Map((list ?? []).map((one) => [one.oid, one]));
}
