-- What Postgres works out before it looks at any row raises its error though there is none.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (id int4 NOT NULL, PRIMARY KEY (id));
CREATE TABLE t3 (id int4 NOT NULL, c0 int4, PRIMARY KEY (id));
-- rows:
-- ordering: none
-- binding: []
-- query:
SELECT  FROM t0 AS a1, t3 AS a2 WHERE (a2.c0 IS NOT DISTINCT FROM 4 OR (jsonb_array_length(CASE WHEN jsonb_typeof('[1, "two", 3.50]'::jsonb) = 'array' THEN '{"a": "x", "b": [1, 2, null]}'::jsonb END)) IN ('-1'::int4));
-- transaction:
INSERT INTO t0 VALUES (1);
INSERT INTO t3 VALUES (1, 4);
