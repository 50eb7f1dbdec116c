-- From 17 on nothing is in an empty range that is the same for all rows, and everything in one without bounds: NULL as well.
-- schema:
CREATE TABLE t0 (id int4 NOT NULL, c1 int4, PRIMARY KEY (id));
-- rows:
INSERT INTO t0 (id, c1) VALUES (6, NULL), (7, 1) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: []
-- query:
SELECT id, 'empty'::int4range @> c1, c1 <@ '(,)'::int4range, c1 <@ '[1,2)'::int4range, '[1,)'::int4range @> c1, NULL::int4range @> c1 FROM t0;
-- transaction:
UPDATE t0 SET c1 = NULL;
