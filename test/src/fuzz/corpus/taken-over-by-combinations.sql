-- A binding that is taken over asks for keys that its joining finds, several levels deep.
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (id int4 NOT NULL, c2 uuid, c4 char(4), PRIMARY KEY (id));
CREATE TABLE t1 (id int4 NOT NULL, t0_id int4, c1 int2, PRIMARY KEY (id));
-- rows:
INSERT INTO t0 (id, c2, c4) VALUES (5, '00000000-0000-0000-0000-000000000000'::uuid, 'b'::bpchar), (8, '00000000-0000-0000-0000-000000000000'::uuid, 'a b'::bpchar) ON CONFLICT DO NOTHING;
INSERT INTO t1 (id, t0_id, c1) VALUES (1, 8, '-1'::int2), (3, 6, '2'::int2), (5, 8, NULL) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: ["2"]
-- binding: ["3"]
-- binding: [null]
-- query:
SELECT (SELECT a1.c2 AS o1 FROM t1 AS a4 WHERE a4.t0_id = a2.id AND a4.id NOT IN (SELECT $1::int4 AS o1 FROM t1 AS a5 WHERE a5.t0_id < a4.t0_id GROUP BY a5.c1)) AS o1 FROM (t0 AS a1 LEFT JOIN t0 AS a2 ON a2.c4 = a2.c4);
-- transaction:
INSERT INTO t0 (id, c2, c4) VALUES (5, '00000000-0000-0000-0000-000000000000'::uuid, NULL), (7, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, NULL) ON CONFLICT (id) DO UPDATE SET c2 = excluded.c2, c4 = excluded.c4;
