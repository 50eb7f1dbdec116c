-- A table is emptied while a binding whose answer is an error still waits for what was read of it.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t1 (id int4 NOT NULL, c1 text, PRIMARY KEY (id));
ALTER TABLE t1 REPLICA IDENTITY FULL;
-- rows:
INSERT INTO t1 (id, c1) VALUES (6, 'a'::text) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: ["{{1,2},{3,4}}"]
-- binding: ["{}"]
-- binding: ["{1,2}"]
-- query:
SELECT min((array_remove($1, a1.id))) AS o2 FROM t1 AS a1 GROUP BY a1.c1;
-- transaction:
UPDATE t1 SET c1 = NULL;
-- transaction:
TRUNCATE t1 CASCADE;
