-- Grouping sets over a table that is joined to itself: Postgres 18 takes the two for one, and orders by the other.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (k0 numeric NOT NULL, c1 mood, c2 numeric, PRIMARY KEY (k0));
-- rows:
INSERT INTO t0 (k0, c1, c2) VALUES ('0.1'::numeric, 'sad'::mood, '1.0'::numeric) ON CONFLICT DO NOTHING;
-- ordering: columns 1
-- binding: []
-- query:
SELECT a2.c1 AS o1, a1.c1 AS o2 FROM (t0 AS a1 LEFT JOIN t0 AS a2 ON a2.k0 = a1.k0) WHERE a2.c2 = '1'::numeric GROUP BY GROUPING SETS ((a2.c1), (a1.c1)) ORDER BY 2 DESC NULLS LAST;
