-- found by npm run fuzz -- --seed engine-e1 --trial 103
-- binding []
-- Postgres: []
-- held: 
-- schema:
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t0 (id int4 NOT NULL, gen int8 GENERATED ALWAYS AS (id::int8 * 2) STORED, PRIMARY KEY (id));
CREATE TABLE t1 (id int4 NOT NULL, c2 bool, PRIMARY KEY (id));
-- rows:
INSERT INTO t1 (id, c2) VALUES (2, 'f'::bool) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: []
-- query:
SELECT  FROM ((SELECT '1'::float4 AS o2 FROM t1 AS a2 WHERE ('empty'::int4range @> (jsonb_array_length(CASE WHEN jsonb_typeof('{"a": 1}'::jsonb) = 'array' THEN '{}'::jsonb END))) IS DISTINCT FROM a2.c2) AS a1 LEFT JOIN t0 AS a4 ON NOT (a1.o2 IN ('0.1'::float4))) GROUP BY a4.gen;
