import type { ExpressionCause } from '@sluice/server/analysis/expression-reasons';
import type { BlockCause } from '@sluice/server/planner/blocks/reasons';
import type { RerunCause } from '@sluice/server/planner/reasons';

/** What the examples of docs/sql.md read. */
export const EXAMPLE_TABLES = `
CREATE TABLE project (id int PRIMARY KEY, name text COLLATE "C", label text COLLATE "und-x-icu", weight float8, tags text[], at timestamptz);
CREATE TABLE issue (id int PRIMARY KEY, project_id int, title text COLLATE "C", body text, points numeric, data jsonb, due date);
CREATE TABLE page (id int PRIMARY KEY, words tsvector);
CREATE TABLE price (amount money PRIMARY KEY);
CREATE TABLE silent (id int PRIMARY KEY);
CREATE TABLE loose (line text COLLATE "C");
CREATE TABLE computed (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE FUNCTION doubled(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';`;

/** What happens to them once they are published. */
export const EXAMPLE_CHANGES = `ALTER TABLE silent REPLICA IDENTITY NOTHING;`;

/** Queries that are kept live by what they read, by what they show. */
export const INCREMENTAL_EXAMPLES: Readonly<Record<string, string>> = {
  'filters and expressions': `SELECT id, upper(title) AS shout FROM issue WHERE title LIKE 'a%' AND points * 2 > 3`,
  'joins of any kind': `SELECT i.id, p.name FROM issue i LEFT JOIN project p ON p.id = i.project_id WHERE i.id > $1`,
  'EXISTS, IN and their opposites': `SELECT id FROM project p WHERE NOT EXISTS (SELECT FROM issue i WHERE i.project_id = p.id)`,
  'subqueries that give a value': `SELECT p.id, (SELECT count(*) FROM issue i WHERE i.project_id = p.id) AS issues FROM project p`,
  'groups and aggregates': `SELECT project_id, count(*), sum(points) FROM issue GROUP BY project_id HAVING count(*) > 1`,
  'grouping sets': `SELECT project_id, due, count(*) FROM issue GROUP BY ROLLUP (project_id, due)`,
  DISTINCT: `SELECT DISTINCT title FROM issue`,
  'DISTINCT ON': `SELECT DISTINCT ON (project_id) project_id, id FROM issue ORDER BY project_id, id DESC`,
  'UNION, INTERSECT, EXCEPT': `SELECT id FROM issue EXCEPT SELECT project_id FROM issue`,
  'order and limit': `SELECT id, title FROM issue ORDER BY lower(title) NULLS FIRST, id LIMIT 50 OFFSET 10`,
  'FETCH FIRST … WITH TIES': `SELECT id FROM issue ORDER BY due FETCH FIRST 5 ROWS WITH TIES`,
  'window functions': `SELECT id, row_number() OVER (PARTITION BY project_id ORDER BY id) FROM issue`,
  WITH: `WITH open AS (SELECT * FROM issue WHERE points > 0) SELECT p.name, o.id FROM open o JOIN project p ON p.id = o.project_id`,
  'VALUES and functions that return rows': `SELECT i.id FROM issue i JOIN (VALUES (1), (2)) v(a) ON v.a = i.project_id`,
  'nested JSON': `SELECT p.id, (SELECT json_agg(json_build_object('id', i.id) ORDER BY i.id) FROM issue i WHERE i.project_id = p.id) AS issues FROM project p`,
};

/** For each reason a query that is re-run for it. */
export const RERUN_EXAMPLES: Readonly<Partial<Record<RerunCause, string>>> = {
  no_table: `SELECT 1 AS one`,
  clock: `SELECT id FROM issue WHERE due < now()`,
  generated: `SELECT id, twice FROM computed`,
  inheritance: `SELECT id FROM parent`,
  only: `SELECT id FROM ONLY part`,
  no_key: `SELECT line FROM loose`,
  no_identity: `SELECT id FROM silent`,
  key_type: `SELECT amount FROM price`,
  no_columns: `SELECT FROM issue`,
  user_code: `SELECT id FROM issue WHERE doubled(id) = 4`,
  data_error: `SELECT 1 / 0 AS never FROM issue`,
};

export const BLOCK_EXAMPLES: Readonly<Partial<Record<BlockCause, string>>> = {
  full_join: `SELECT i.id, p.id AS project FROM issue i FULL JOIN project p ON true`,
  whole_row: `SELECT i.id, p.ctid FROM issue i FULL JOIN project p ON p.id = i.project_id`,
  window_function: `SELECT id, stddev(points) OVER (ORDER BY id) FROM issue`,
  window_order: `SELECT id, row_number() OVER () FROM issue`,
  window_frame: `SELECT id, count(*) OVER (ORDER BY weight RANGE 1 PRECEDING) FROM project`,
  from_unknown: `SELECT x.n FROM issue, XMLTABLE('/a' PASSING xmlelement(name a, title) COLUMNS n int PATH '.') x`,
  grouped_twice: `SELECT i.title, o.title AS other FROM issue i JOIN issue o ON o.id = i.id GROUP BY GROUPING SETS ((i.title), (o.title))`,
  key_text: `SELECT words, count(*) FROM page GROUP BY words`,
  column_type: `SELECT id, xmlelement(name a, title) FROM issue`,
  order_below: `SELECT id FROM (SELECT id FROM issue ORDER BY points) i LIMIT 3`,
  distinct_on: `SELECT DISTINCT ON (project_id) project_id, id FROM issue`,
  cte: `WITH RECURSIVE r AS (SELECT id FROM project WHERE id = 1 UNION SELECT i.id FROM issue i JOIN r ON i.project_id = r.id) SELECT id FROM r`,
  from_function: `SELECT i.id, w.word FROM issue i, regexp_split_to_table(i.title, ' ') AS w(word)`,
  from_subquery: `SELECT v.a, p.id FROM project p, (VALUES ((SELECT max(id) FROM issue))) v(a)`,
  constant_key: `SELECT count(*) FROM issue GROUP BY ROLLUP (1 + 1)`,
  aggregate: `SELECT project_id, stddev(points) FROM issue GROUP BY project_id`,
  float_sum: `SELECT sum(weight) FROM project`,
  not_reproduced: `SELECT id FROM issue WHERE body ~ '^a'`,
  limit: `SELECT id FROM issue ORDER BY id LIMIT (SELECT 5)`,
};

export const EXPRESSION_EXAMPLES: Readonly<Partial<Record<ExpressionCause, string>>> = {
  function_of_sets: `SELECT unnest(tags) AS tag, count(*) FROM project GROUP BY tag`,
  collation: `SELECT id FROM project ORDER BY tags COLLATE "und-x-icu"`,
  collation_undetermined: `SELECT id FROM project WHERE name = label`,
  cast: `SELECT id::oid FROM issue`,
  row: `SELECT (ROW(id, title)).f1 FROM issue`,
  unknown: `SELECT id FROM issue WHERE xmlelement(name a, title) IS NOT NULL`,
  function_variadic: `SELECT id, concat_ws(',', VARIADIC tags) FROM project`,
  collation_nondeterministic: `SELECT id FROM issue WHERE title COLLATE folded = 'a'`,
  collation_case: `SELECT id, upper(body COLLATE "tr-x-icu") FROM issue`,
  order_type: `SELECT id, upper(title) FROM issue ORDER BY points::money`,
  operator: `SELECT id, upper(title) AS shout FROM issue ORDER BY title USING ~<~`,
  constant: `SELECT id FROM issue WHERE upper(title) <> 'A' AND points::text::money > '5'::money`,
  domain: `SELECT id::positive AS id, upper(title) FROM issue`,
  slice: `SELECT id, tags[1:2] FROM project`,
  clock: `SELECT id, upper(title) AS shout FROM issue WHERE current_user = title`,
  subquery: `SELECT id, ARRAY(SELECT id FROM project) FROM issue`,
  column: `SELECT ctid, id FROM issue`,
};

/** Reasons that do not lie in the query: when they are given, or what to do. */
export const RERUN_CIRCUMSTANCES: Readonly<Partial<Record<RerunCause, string>>> = {
  not_analysed:
    'The service role may not create temporary objects, the server only reads, or an event trigger objects: `explain` says which.',
  not_planned: 'Please report it, with the query.',
};

/**
 * Reasons that stand in the code for what no query is known to come to: another reason is told before, Postgres refuses
 * it, or the planner has a form for all that is known; or for what only a query comes to that is too long to show.
 */
export const UNMET_REASONS: readonly (BlockCause | ExpressionCause)[] = [
  'set_cast',
  'correlated',
  'function_of_application',
  'function_volatile',
  'aggregate',
  'folded',
];

/** What Sluice does not keep live at all, with the error's code. */
export const REFUSED_EXAMPLES: readonly (readonly [code: string, sql: string])[] = [
  ['select_only', `DELETE FROM issue`],
  ['locking_refused', `SELECT id FROM issue FOR UPDATE`],
  ['one_statement_only', `SELECT 1; SELECT 2`],
  ['function_volatile', `SELECT random() FROM issue`],
  ['function_not_allowed', `SELECT id, '12:00+02'::timetz AT TIME ZONE 'UTC' AS noon FROM issue`],
  ['relation_not_replicated', `SELECT relname FROM pg_class`],
  ['sample_refused', `SELECT id FROM issue TABLESAMPLE SYSTEM (10)`],
  ['table_unknown', `SELECT id FROM nowhere`],
  ['column_unknown', `SELECT nope FROM issue`],
];
