-- found by npm run fuzz -- --seed soak-r2 --trial 399
-- binding []
-- Postgres: [null]
-- held: ["f"]
-- schema:
CREATE TABLE t0 (k0 date NOT NULL, PRIMARY KEY (k0));
-- rows:
INSERT INTO t0 (k0) VALUES ('2024-02-29'::date) ON CONFLICT DO NOTHING;
-- ordering: none
-- binding: []
-- query:
SELECT ('empty'::int4range @> NULL::int4) AS o2 FROM (t0 AS a5 RIGHT JOIN t0 AS a6 ON a6.k0 = a5.k0) GROUP BY a6.k0;
