/**
 * What is read from the catalog: each statement gives one JSON object a row. `$1`, where there is one, is the
 * publication. Works on Postgres 14 to 18; oids are numbers (below 2^32).
 */

/** Schemas of Postgres itself; nothing in them replicates. */
const USER_SCHEMA = (oid: string): string =>
  `${oid} IN (SELECT oid FROM pg_namespace WHERE nspname NOT IN ('pg_catalog', 'information_schema')
     AND nspname !~ '^pg_(toast|temp)')`;

/**
 * Of a view `c`. Here and below what is stored is read, and not printed: `pg_get_viewdef` and its like lock what a
 * definition names, and wait for whoever alters it.
 */
export const DEFINITION = `CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.md5(coalesce(c.reloptions::pg_catalog.text, '')
     || (SELECT w.ev_action::pg_catalog.text FROM pg_catalog.pg_rewrite w
         WHERE w.ev_class = c.oid AND w.rulename = '_RETURN')) END`;

export const RELATIONS_SQL: string = `
SELECT json_build_object(
  'oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind, 'persistence', c.relpersistence,
  'storage', c.relfilenode::int8, 'replicaIdentity', c.relreplident, 'rowSecurity', c.relrowsecurity,
  'partitionOf', (SELECT i.inhparent::int8 FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition),
  'inheritedBy', (SELECT json_agg(i.inhrelid::int8 ORDER BY i.inhrelid) FROM pg_inherits i
                  JOIN pg_class l ON l.oid = i.inhrelid WHERE i.inhparent = c.oid AND NOT l.relispartition),
  'definition', ${DEFINITION},
  'access', md5(concat_ws('|', c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
     (SELECT string_agg(concat_ws(',', a.attnum, a.attacl), ';' ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL),
     (SELECT string_agg(concat_ws(',', p.polname, p.polcmd, p.polpermissive, p.polroles, p.polqual, p.polwithcheck), ';'
             ORDER BY p.oid) FROM pg_policy p WHERE p.polrelid = c.oid))))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND ${USER_SCHEMA('c.relnamespace')}
ORDER BY c.oid`;

/** Byte order: the C locales of libc, and every locale of the builtin provider (which compares by code point). */
const IS_C = (provider: string, collate: string): string =>
  `(${provider} = 'b' OR (${provider} = 'c' AND ${collate} IN ('C', 'POSIX')))`;

export const COLUMNS_SQL: string = `
WITH db AS (
  SELECT datcollate, CASE WHEN current_setting('server_version_num')::int >= 150000
    THEN to_jsonb(d)->>'datlocprovider' ELSE 'c' END AS provider,
    getdatabaseencoding() = 'UTF8' AS utf8
  FROM pg_database d WHERE datname = current_database())
SELECT json_build_object(
  'table', a.attrelid::int8, 'name', a.attname, 'number', a.attnum, 'typeOid', a.atttypid::int8,
  'typeModifier', a.atttypmod,
  'notNull', a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid
     AND k.contype = 'n' AND NOT k.convalidated AND a.attnum = ANY (k.conkey)),
  'collationOid', a.attcollation::int8,
  'collationIsC', db.utf8 AND CASE WHEN co.oid IS NULL THEN false
     WHEN co.collprovider = 'd' THEN ${IS_C('db.provider', 'db.datcollate')}
     ELSE ${IS_C('co.collprovider', 'co.collcollate')} END,
  'collationIsDeterministic', coalesce(co.collisdeterministic, true),
  'generated', a.attgenerated)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid CROSS JOIN db
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND ${USER_SCHEMA('c.relnamespace')}
ORDER BY a.attrelid, a.attnum`;

/** Unique, immediate, valid, neither partial nor over expressions; columns in key order, without INCLUDE. */
export const KEYS_SQL: string = `
SELECT json_build_object(
  'table', i.indrelid::int8, 'primary', i.indisprimary, 'identity', i.indisreplident,
  'columns', (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, n)
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.n <= i.indnkeyatts))
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND c.relkind IN ('r', 'p') AND ${USER_SCHEMA('c.relnamespace')}
ORDER BY i.indrelid, i.indexrelid`;

/** Every type of the user's schemas, and those of Postgres that columns may have. */
export const TYPES_SQL: string = `
SELECT json_build_object(
  'oid', t.oid::int8, 'schema', n.nspname, 'name', t.typname, 'type', t.typtype, 'category', t.typcategory,
  'subscript', t.typsubscript::oid::regproc::text, 'element', nullif(t.typelem, 0)::int8,
  'base', nullif(t.typbasetype, 0)::int8,
  'labels', (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
  'definition', CASE WHEN t.typtype = 'd' THEN md5(concat_ws('|', t.typnotnull, t.typtypmod,
     (SELECT string_agg(pg_get_constraintdef(k.oid), ';' ORDER BY k.oid) FROM pg_constraint k
      WHERE k.contypid = t.oid))) END)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = 'pg_catalog' AND t.typtype IN ('b', 'r', 'm', 'p') OR ${USER_SCHEMA('t.typnamespace')}
ORDER BY t.oid`;

export const PUBLICATION_SQL: string = `
SELECT json_build_object('viaRoot', p.pubviaroot, 'complete',
  p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate)
FROM pg_publication p WHERE p.pubname = $1`;

/** Relations of the publication with a row filter or a column list. (Both exist since Postgres 15.) */
export const PUBLICATION_FILTERS_SQL: string = `
SELECT json_build_object('name', format('%I.%I', n.nspname, c.relname))
FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.pubname = $1 AND (to_jsonb(r)->>'prqual' IS NOT NULL OR to_jsonb(r)->>'prattrs' IS NOT NULL)`;

/**
 * Relations that the publication names; what is below them is published with them. Read from the catalog's own tables:
 * `pg_publication_tables` asks functions, which see a partition that the snapshot does not.
 */
export const PUBLISHED_NAMES_SQL: string = `
SELECT json_build_object('oid', r.prrelid::int8)
FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1`;

export const PUBLISHED_ALL_SQL: string = `
SELECT json_build_object('oid', c.oid::int8)
FROM pg_publication p JOIN pg_class c ON c.relkind IN ('r', 'p') WHERE p.pubname = $1 AND p.puballtables`;

/** The catalog of published schemas exists since Postgres 15. */
export const HAS_PUBLISHED_SCHEMAS_SQL = `SELECT to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL`;
export const PUBLISHED_SCHEMAS_SQL: string = `
SELECT json_build_object('oid', c.oid::int8)
FROM pg_publication p JOIN pg_publication_namespace s ON s.pnpubid = p.oid JOIN pg_class c ON c.relnamespace = s.pnnspid
WHERE p.pubname = $1`;

/** Per catalog: how many rows there are and which versions. */
const VERSIONS = (
  [
    ['pg_class', `relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND oid >= 16384`, 'oid'],
    ['pg_attribute', `attrelid >= 16384`, 'attrelid'],
    ['pg_type', `oid >= 16384`, 'oid'],
    ['pg_enum', `true`, 'oid'],
    ['pg_index', `indrelid >= 16384`, 'indexrelid'],
    ['pg_constraint', `contypid <> 0`, 'oid'],
    ['pg_inherits', `true`, 'inhrelid'],
    ['pg_rewrite', `oid >= 16384`, 'oid'],
    ['pg_proc', `oid >= 16384`, 'oid'],
    ['pg_operator', `oid >= 16384`, 'oid'],
    ['pg_cast', `oid >= 16384`, 'oid'],
    ['pg_policy', `true`, 'oid'],
    ['pg_collation', `oid >= 16384`, 'oid'],
    ['pg_namespace', `true`, 'oid'],
    ['pg_auth_members', `true`, 'roleid'],
    ['pg_publication', `true`, 'oid'],
    ['pg_publication_rel', `true`, 'oid'],
  ] as const
).map(
  ([catalog, where, oid]) =>
    `SELECT '${catalog}' AS c, count(*) AS n, bit_xor(hashint8extended((${oid}::int8 << 32) + xmin::text::int8, 7)) AS x
     FROM pg_catalog.${catalog} WHERE ${where}`,
);

/**
 * One row, one value: a hash of the versions (oid and xmin) of all catalog rows that matter. A dead row changes
 * the count, a new version the xor. Statistics are updated in place and change neither.
 */
export const POLL_SQL: string = `
SELECT md5(string_agg(concat_ws(':', v.c, v.n, v.x), ',' ORDER BY v.c)
  || (SELECT coalesce(md5(string_agg(r::text, ',' ORDER BY r.oid)), '') FROM pg_roles r)
  || (SELECT coalesce(md5(string_agg(s::text, ',' ORDER BY s.setdatabase, s.setrole)), '') FROM pg_db_role_setting s))
FROM (${VERSIONS.join(' UNION ALL ')}) v`;

/** Functions, operators and casts of users: what may change an answer without being a relation. */
export const GLOBAL_SQL: string = `
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat_ws(',', p.oid, p.proname, p.pronamespace, p.proowner, p.prolang, p.prosecdef, p.provolatile,
     p.prosrc, p.probin, p.prosqlbody, p.proconfig, p.proacl, p.proargtypes, p.prorettype), ';' ORDER BY p.oid)
   FROM pg_proc p WHERE p.oid >= 16384),
  (SELECT string_agg(o::text, ';' ORDER BY o.oid) FROM pg_operator o WHERE o.oid >= 16384),
  (SELECT string_agg(k::text, ';' ORDER BY k.oid) FROM pg_cast k WHERE k.oid >= 16384)))`;

/**
 * Schemas, and the roles that we may act as with their memberships and settings: who may see what, and what a bare
 * name means. Other roles come and go without a word here.
 */
export const RIGHTS_SQL: string = `
WITH RECURSIVE ours AS (
  SELECT oid FROM pg_roles WHERE rolname = session_user
  UNION SELECT m.roleid FROM pg_auth_members m JOIN ours ON ours.oid = m.member)
SELECT md5(concat_ws('|',
  (SELECT string_agg(concat_ws(',', n.oid, n.nspname, n.nspacl), ';' ORDER BY n.oid) FROM pg_namespace n
   WHERE n.nspname !~ '^pg_(toast|temp)'),
  (SELECT string_agg(r::text, ';' ORDER BY r.oid) FROM pg_roles r JOIN ours USING (oid)),
  (SELECT string_agg(DISTINCT concat_ws(',', m.roleid, m.member), ';') FROM pg_auth_members m
   JOIN ours ON ours.oid = m.member),
  (SELECT string_agg(s::text, ';' ORDER BY s.setdatabase, s.setrole) FROM pg_db_role_setting s
   WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
     AND (s.setrole = 0 OR s.setrole IN (SELECT oid FROM ours)))))`;
