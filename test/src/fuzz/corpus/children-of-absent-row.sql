-- Children of a row that an outer join has not found are an empty list.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (id int4 NOT NULL, PRIMARY KEY (id));
CREATE TABLE t2 (k0 int4 NOT NULL, t1_id int4, PRIMARY KEY (k0));
CREATE TABLE t3 (id int4 NOT NULL, PRIMARY KEY (id));
-- rows:
INSERT INTO t0 (id) VALUES (5) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: []
-- query:
SELECT (SELECT coalesce(json_agg(agg6), '[]') FROM (SELECT  FROM t3 AS a3 WHERE a3.id = a2.t1_id) AS agg6) AS o5 FROM (t0 AS a1 LEFT JOIN t2 AS a2 ON a2.k0 <> 3);
-- transaction:
INSERT INTO t2 VALUES (1, 7), (2, NULL);
INSERT INTO t3 VALUES (7);
-- transaction:
DELETE FROM t2;
