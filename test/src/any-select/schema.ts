/** Tables with a little of everything, and functions of the generator that make values where comparing is hard. */
export const SCHEMA: string = String.raw`
CREATE SCHEMA gen;
CREATE FUNCTION gen.one(VARIADIC list text[]) RETURNS text LANGUAGE sql VOLATILE
  AS 'SELECT list[1 + floor(random() * cardinality(list))::int]';
CREATE FUNCTION gen.int(low int, high int) RETURNS int LANGUAGE sql VOLATILE
  AS 'SELECT CASE WHEN random() < 0.12 THEN NULL ELSE low + floor(random() * (high - low + 1))::int END';
CREATE FUNCTION gen.txt() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT gen.one(NULL, '', 'a', 'A', 'b', 'B', 'ab', 'a b', ' a', 'a ', 'ä', 'é', 'zz', 'Z', '😀', '😀😀', E'\uffee', '%', '_', '\', '''', '"q"',
    '{x}', 'NULL', 'null', '__proto__', '1=1) OR (1=1', E'tab\tnl\nend', '$1', 'a-b', 'a_b', '10', '9') $$;
CREATE FUNCTION gen.num() RETURNS numeric LANGUAGE sql VOLATILE AS $$
  SELECT gen.one(NULL, '0', '0.00', '-1', '1', '1.0', '1.50', '1.5', '2', '-2.25', '10', '99999999999999999999.5', 'NaN')::numeric $$;
CREATE FUNCTION gen.dbl() RETURNS float8 LANGUAGE sql VOLATILE AS $$
  SELECT gen.one(NULL, '0', '-0', '0.1', '0.5', '-1.5', '1e300', 'NaN', 'Infinity', '-Infinity', '2')::float8 $$;
CREATE FUNCTION gen.doc() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT gen.one(NULL, 'null', '{}', '[]', '{"a": 1}', '{"a": 1.0, "b": [1, 2, {"c": null}]}', '{"a": "x", "n": 12345678901234567890}',
    '[1, "two", 3.50]', '"text"', 'true', '{"__proto__": {"x": 1}, "a": 2}', '{"tags": ["a", "b"], "deep": {"er": {"est": "😀"}}}')::jsonb $$;
CREATE FUNCTION gen.ts() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT gen.one(NULL, '2024-02-29 12:00:00.5+00', '2024-02-29 12:00:00+00', '2024-02-29 12:00:00.000001+00', '1999-12-31 23:59:59+00',
    'infinity', '-infinity', '0044-03-15 10:00:00+00 BC', '12024-01-01 00:00:00+00', '2024-03-10 02:30:00-05')::timestamptz $$;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'B "q"');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE DOMAIN mailbox AS text CHECK (VALUE ~ '@');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL, parent int);
CREATE TABLE person (id int PRIMARY KEY, team_id int, name text, nick text COLLATE "C", mail mailbox, mood mood,
  joined date, score numeric, ratio float8, small int2, big int8, ok bool);
CREATE TABLE task (id int PRIMARY KEY, owner int, title text, tags text[], nums int[], doc jsonb, raw json, due timestamptz,
  at timestamp, took interval, cost numeric(10,2), weight real, code char(5), vc varchar(10), uid uuid, bin bytea, prio posint,
  state mood, span int4range, ip inet, p pair, done bool, "Weird ""Name" text, "__proto__" int, twice int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE edge (a int, b int, w int, PRIMARY KEY (a, b));
CREATE TABLE note (body text, n int);
ALTER TABLE note REPLICA IDENTITY FULL;
CREATE TABLE event (id int, day date, kind text, v int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."Select" ("From" int PRIMARY KEY, "user" text, "ünï" text, "sluice n" int, "a.b" int, "?column?" int);
CREATE TABLE num (k numeric PRIMARY KEY, v text);
CREATE TABLE word (w text COLLATE "C" PRIMARY KEY, d text);
CREATE VIEW busy AS SELECT t.id, t.title, t.owner, p.name AS owner_name FROM task t JOIN person p ON p.id = t.owner WHERE NOT t.done;
CREATE VIEW busiest AS SELECT owner, max(owner_name) AS owner_name, count(*) AS n FROM busy GROUP BY owner HAVING count(*) > 1;
CREATE FUNCTION tasks_of(who int) RETURNS SETOF task LANGUAGE sql STABLE AS 'SELECT * FROM task WHERE owner = who';
CREATE FUNCTION task_count(who int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM task WHERE owner = $1';
CREATE FUNCTION team_name(t int) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT name FROM team WHERE id = t); END';
CREATE FUNCTION dyn_count(tab text) RETURNS bigint LANGUAGE plpgsql STABLE AS 'DECLARE r bigint; BEGIN EXECUTE format(''SELECT count(*) FROM %I'', tab) INTO r; RETURN r; END';
CREATE FUNCTION double(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION label(p person) RETURNS text LANGUAGE sql STABLE AS $$ SELECT p.name || '#' || p.id $$;
CREATE FUNCTION pairs(n int) RETURNS TABLE (x int, y text) LANGUAGE sql STABLE AS 'SELECT e.a, e.b::text FROM edge e WHERE e.w > n';
CREATE AGGREGATE biggest(int) (SFUNC = int4larger, STYPE = int);
CREATE FUNCTION weird_eq(team, person) RETURNS bool LANGUAGE sql STABLE AS 'SELECT $1.id = $2.team_id';
CREATE FUNCTION pick_state(s int, v int) RETURNS int LANGUAGE plpgsql STABLE AS
  'BEGIN RETURN coalesce(s, 0) + v + (SELECT count(*) FROM edge)::int; END';
CREATE AGGREGATE reading(int) (SFUNC = pick_state, STYPE = int);
CREATE FUNCTION by_default(x bigint DEFAULT task_count(1)) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT x + 1';
CREATE SCHEMA aside;
CREATE TABLE aside.team (id int PRIMARY KEY, name text);
INSERT INTO aside.team VALUES (1, 'aside');
CREATE FUNCTION team_aside() RETURNS text LANGUAGE sql STABLE SET search_path = aside AS 'SELECT string_agg(name, $$,$$ ORDER BY id) FROM team';
CREATE FUNCTION atomic_count() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM note WHERE n > 0; END;
CREATE FUNCTION nested() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT atomic_count() + task_count(2)';
CREATE FUNCTION either(VARIADIC v anyarray) RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM word) + cardinality(v); END';
CREATE FUNCTION as_pair(text) RETURNS pair LANGUAGE plpgsql STABLE AS 'BEGIN RETURN ROW((SELECT max(id) FROM team), $1)::pair; END';
CREATE CAST (text AS pair) WITH FUNCTION as_pair(text);
CREATE TYPE grade AS ENUM ('low', 'high');
CREATE FUNCTION grade_of(text) RETURNS grade LANGUAGE sql IMMUTABLE AS 'SELECT ''low''::grade';
CREATE CAST (text AS grade) WITH FUNCTION grade_of(text);
CREATE TABLE graded (id int PRIMARY KEY, g grade);
CREATE DOMAIN pair_dom AS pair;
CREATE DOMAIN pairs_dom AS pair[];
CREATE TYPE holder AS (h pair, n int);
CREATE FUNCTION known(i int) RETURNS bool LANGUAGE plpgsql STABLE AS 'BEGIN RETURN EXISTS (SELECT FROM team WHERE id = i); END';
CREATE VIEW calling AS SELECT id, task_count(id) AS n, p::text AS p FROM (SELECT id, name::pair AS p FROM team) t;
CREATE VIEW renamed (one, two) WITH (security_invoker = on) AS SELECT a, max(b) FROM edge GROUP BY a;
CREATE TABLE base_row (id int PRIMARY KEY, v int);
CREATE TABLE kind_row (extra text, PRIMARY KEY (id)) INHERITS (base_row);
CREATE RECURSIVE VIEW tree (id, depth) AS SELECT id, 0 FROM team WHERE parent IS NULL UNION ALL SELECT t.id, depth + 1 FROM team t, tree WHERE t.parent = tree.id AND depth < 9;
CREATE OPERATOR ~~~ (LEFTARG = team, RIGHTARG = person, FUNCTION = weird_eq);

CREATE FUNCTION gen.person(i int) RETURNS SETOF person LANGUAGE sql VOLATILE AS $$
  SELECT i, gen.int(1, 8), gen.txt(), gen.txt(), gen.one(NULL, 'a@b', 'A@b', '😀@x')::mailbox, gen.one(NULL, 'sad', 'ok', 'happy', 'B "q"')::mood,
    gen.one(NULL, '2024-01-01', '1999-12-31', 'infinity', '0001-01-01 BC', '10000-01-01')::date, gen.num(), gen.dbl(), gen.int(-3, 3)::int2,
    gen.one(NULL, '0', '1', '-1', '9223372036854775807', '-9223372036854775808', '9007199254740993')::int8, gen.one(NULL, 't', 'f', 't')::bool $$;
CREATE FUNCTION gen.task(i int) RETURNS TABLE (id int, owner int, title text, tags text[], nums int[], doc jsonb, raw json, due timestamptz,
  at timestamp, took interval, cost numeric, weight real, code char(5), vc varchar(10), uid uuid, bin bytea, prio posint, state mood,
  span int4range, ip inet, p pair, done bool, w text, pr int) LANGUAGE sql VOLATILE AS $$
  SELECT i, gen.int(1, 12), gen.txt(), gen.one(NULL, '{}', '{a}', '{a,b}', '{NULL,"",b}', '{"x,y","q\"q"}')::text[],
    gen.one(NULL, '{}', '{1}', '{1,NULL,3}', '{3,2,1}', '{{1,2},{3,4}}', '[0:1]={5,6}')::int[], gen.doc(), gen.doc()::json, gen.ts(),
    gen.ts()::timestamp, gen.one(NULL, '1 mon', '30 days', '720:00:00', '-1 day', '00:00:00.000001')::interval,
    gen.one(NULL, '0', '1.5', '10', '-3.25', '99.99')::numeric, gen.one(NULL, '0.1', '0.5', '1e10', 'NaN', '-0')::real,
    gen.one(NULL, '', 'a', 'a ', 'ab', 'ABCDE')::char(5), left(gen.txt(), 10),
    gen.one(NULL, '00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid, gen.one(NULL, '\x', '\x00', '\xff00')::bytea,
    abs(gen.int(1, 5))::posint, gen.one(NULL, 'sad', 'ok', 'happy')::mood, gen.one(NULL, 'empty', '[1,5)', '[3,)', '(,2]')::int4range,
    gen.one(NULL, '10.0.0.1', '10.0.0.0/8', '::1')::inet, gen.one(NULL, '(1,x)', '(,)', '(2,"a,b")')::pair,
    gen.one(NULL, 't', 'f', 'f')::bool, gen.txt(), gen.int(0, 9) $$;
`;

/** One round's statements: each run draws other values from the seeded `random()` of the session. */
const PUT_TASK = `(id, owner, title, tags, nums, doc, raw, due, at, took, cost, weight, code, vc, uid, bin, prio, state, span, ip, p, done,
  "Weird ""Name", "__proto__")`;

export const FILL: readonly string[] = [
  `INSERT INTO team SELECT i, 'team ' || i, nullif(i / 2, 0) FROM generate_series(1, 8) i`,
  `INSERT INTO person SELECT p.* FROM generate_series(1, 30) i, gen.person(i) p`,
  `INSERT INTO task ${PUT_TASK} SELECT t.* FROM generate_series(1, 60) i, gen.task(i) t`,
  `INSERT INTO edge SELECT DISTINCT ON (1, 2) 1 + i % 7, 1 + i * 3 % 8, i % 5 FROM generate_series(1, 40) i`,
  `INSERT INTO note SELECT gen.txt(), gen.int(0, 3) FROM generate_series(1, 30) i`,
  `INSERT INTO event SELECT i, '2024-01-01'::date + i * 3, gen.txt(), gen.int(0, 9) FROM generate_series(1, 40) i`,
  `INSERT INTO "Odd Schema"."Select" SELECT i, gen.txt(), gen.txt(), i % 3, i % 4, i FROM generate_series(1, 12) i`,
  `INSERT INTO base_row SELECT i, i % 3 FROM generate_series(1, 6) i`,
  `INSERT INTO kind_row SELECT i, i % 3, gen.txt() FROM generate_series(4, 9) i`,
  `INSERT INTO graded VALUES (1, 'low'), (2, 'high'), (3, NULL)`,
  `INSERT INTO num SELECT k::numeric, gen.txt() FROM unnest(ARRAY['0', '1', '1.5', '-2', 'NaN', '1e20', '0.001']) k`,
  `INSERT INTO word SELECT w, gen.txt() FROM unnest(ARRAY['', 'a', 'B', 'ä', '😀', '__proto__', 'a"b', ' ']) w`,
];

export const CHANGES: readonly string[] = [
  `INSERT INTO task ${PUT_TASK} SELECT t.* FROM (SELECT 100 + floor(random() * 100000)::int AS i FROM generate_series(1, 4)) x, gen.task(x.i) t ON CONFLICT DO NOTHING`,
  `DELETE FROM task WHERE id % 9 = floor(random() * 9)::int`,
  `UPDATE task SET ${PUT_TASK} = (SELECT task.id, g.owner, g.title, g.tags, g.nums, g.doc, g.raw, g.due, g.at, g.took, g.cost, g.weight, g.code, g.vc, g.uid,
    g.bin, g.prio, g.state, g.span, g.ip, g.p, g.done, g.w, g.pr FROM gen.task(task.id) g) WHERE id % 3 = floor(random() * 3)::int`,
  `UPDATE task SET id = id + 1000000 WHERE id = (SELECT min(id) FROM task)`,
  `UPDATE task SET done = NOT done, owner = 1 + id % 5 WHERE id % 4 = 1`,
  `DELETE FROM person WHERE id IN (SELECT id FROM person ORDER BY random() LIMIT 3)`,
  `INSERT INTO person SELECT p.* FROM generate_series(1, 34) i, gen.person(i) p ON CONFLICT DO NOTHING`,
  `UPDATE person SET (name, nick, score, ratio, small, big, ok, mood, joined) = (SELECT g.name, g.nick, g.score, g.ratio, g.small, g.big, g.ok, g.mood, g.joined
    FROM gen.person(person.id) g) WHERE id % 2 = 0`,
  `UPDATE team SET name = name || '!', parent = gen.int(1, 3) WHERE id > 3`,
  `UPDATE team SET id = -id WHERE id IN (5, -5)`,
  `INSERT INTO edge SELECT 1 + floor(random() * 9)::int, 1 + floor(random() * 9)::int, 3 FROM generate_series(1, 5) ON CONFLICT (a, b) DO UPDATE SET w = edge.w + 1`,
  `DELETE FROM edge WHERE a = floor(random() * 8)::int`,
  `INSERT INTO note SELECT gen.txt(), gen.int(0, 3) FROM generate_series(1, 4)`,
  `INSERT INTO note SELECT 'twin', 1 FROM generate_series(1, 2)`,
  `DELETE FROM note WHERE ctid IN (SELECT ctid FROM note LIMIT 3)`,
  `UPDATE note SET n = n + 1 WHERE n < 3`,
  `UPDATE event SET day = day + 20, v = gen.int(0, 9) WHERE id % 5 = floor(random() * 5)::int`,
  `DELETE FROM event WHERE v = 4`,
  `INSERT INTO event SELECT 50 + floor(random() * 1000)::int, '2024-02-10', gen.txt(), 3 FROM generate_series(1, 3) ON CONFLICT DO NOTHING`,
  `UPDATE "Odd Schema"."Select" SET "user" = gen.txt(), "sluice n" = ("sluice n" + 1) % 3`,
  `UPDATE num SET k = k + 1, v = gen.txt() WHERE k BETWEEN 0 AND 5`,
  `UPDATE num SET k = (k || '0')::numeric WHERE k::text LIKE '%.%'`,
  `UPDATE word SET w = w || 'x' WHERE w <> '' AND length(w) < 6`,
  `UPDATE base_row SET v = v + 1 WHERE id % 2 = 0`,
  `UPDATE kind_row SET extra = gen.txt()`,
  `DELETE FROM kind_row WHERE v > 3`,
  `UPDATE aside.team SET name = name || '.'`,
  `UPDATE graded SET g = CASE g WHEN 'low' THEN 'high' ELSE 'low' END::grade WHERE id % 2 = floor(random() * 2)::int`,
  `TRUNCATE note`,
  `TRUNCATE event_1`,
];
