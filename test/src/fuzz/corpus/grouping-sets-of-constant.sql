-- Grouping sets over an expression that reads no column: Postgres does not make it NULL.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t2 (k1 uuid NOT NULL, PRIMARY KEY (k1));
-- rows:
INSERT INTO t2 (k1) VALUES ('00000000-0000-0000-0000-000000000000'::uuid) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: []
-- query:
SELECT ((strpos('__proto__'::text, 'é'::text))::int8 * 3) AS o5 FROM t2 AS a1 GROUP BY CUBE ((strpos('__proto__'::text, 'é'::text)));
