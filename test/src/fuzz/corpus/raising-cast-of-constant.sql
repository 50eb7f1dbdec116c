-- A text that is no uuid, compared in a subquery of no rows.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (k0 int4 NOT NULL, PRIMARY KEY (k0));
CREATE TABLE t1 (k1 uuid NOT NULL, t0_id int4, c0 int4, PRIMARY KEY (k1));
-- rows:
-- ordering: none
-- binding: []
-- query:
SELECT DISTINCT ON ('23:59:59.999999'::time) a1.c0 AS o4 FROM ((t1 AS a1 JOIN t1 AS a2 ON a2.k1 = a1.k1) JOIN t0 AS a3 ON a3.k0 = a2.t0_id) WHERE (' a'::text::uuid) IN (SELECT a4.k1 AS o1 FROM t1 AS a4) ORDER BY '23:59:59.999999'::time, a3.k0;
