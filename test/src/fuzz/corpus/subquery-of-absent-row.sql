-- A scalar subquery that reads of a row that an outer join has not found has an answer for NULLs.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (id int4 NOT NULL, PRIMARY KEY (id));
CREATE TABLE t1 (id int4 NOT NULL, c0 int4, PRIMARY KEY (id));
-- rows:
INSERT INTO t1 (id, c0) VALUES (2, NULL) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: []
-- query:
SELECT (SELECT count(*) FROM t1 AS a3 WHERE a3.c0 = a1.id) AS o1 FROM (t0 AS a1 RIGHT JOIN t1 AS a2 ON a2.id = a1.id);
-- transaction:
INSERT INTO t0 (id) VALUES (2);
-- transaction:
UPDATE t1 SET c0 = 2;
DELETE FROM t0;
