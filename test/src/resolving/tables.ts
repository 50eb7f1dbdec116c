import { relations, sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  bit,
  boolean,
  char,
  cidr,
  customType,
  date,
  doublePrecision,
  inet,
  integer,
  interval,
  json,
  jsonb,
  line,
  macaddr,
  macaddr8,
  numeric,
  pgEnum,
  pgTable,
  pgView,
  point,
  real,
  serial,
  smallint,
  smallserial,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';

/*
 * Every type of column and every mode of drizzle-orm/pg-core that Postgres has without extensions, and the tables of a
 * small application.
 */

export const mood = pgEnum('mood', ['sad', 'ok', 'a "quoted" one']);
const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });

export const everything = pgTable('everything', {
  id: serial().primaryKey(),
  bool: boolean(),
  small: smallint(),
  int: integer(),
  bigNumber: bigint('big_number', { mode: 'number' }),
  bigBig: bigint('big_big', { mode: 'bigint' }),
  smallSerial: smallserial('small_serial'),
  bigSerialNumber: bigserial('big_serial_number', { mode: 'number' }),
  bigSerialBig: bigserial('big_serial_big', { mode: 'bigint' }),
  num: numeric(),
  numScaled: numeric('num_scaled', { precision: 12, scale: 3 }),
  numNumber: numeric('num_number', { mode: 'number' }),
  numBig: numeric('num_big', { mode: 'bigint' }),
  single: real(),
  double: doublePrecision(),
  text: text(),
  varchar: varchar({ length: 40 }),
  char: char({ length: 6 }),
  uuid: uuid(),
  mood: mood(),
  json: json(),
  jsonb: jsonb().$type<{ readonly a: number } | readonly unknown[]>(),
  day: date({ mode: 'date' }),
  dayText: date('day_text', { mode: 'string' }),
  time: time(),
  timeZone: time('time_zone', { withTimezone: true, precision: 3 }),
  at: timestamp(),
  atText: timestamp('at_text', { mode: 'string' }),
  atZone: timestamp('at_zone', { withTimezone: true }),
  atZoneText: timestamp('at_zone_text', { withTimezone: true, mode: 'string' }),
  interval: interval(),
  inet: inet(),
  cidr: cidr(),
  macaddr: macaddr(),
  macaddr8: macaddr8(),
  point: point(),
  pointObject: point('point_object', { mode: 'xy' }),
  line: line(),
  lineObject: line('line_object', { mode: 'abc' }),
  bits: bit({ dimensions: 3 }),
  bytes: bytea(),
  ints: integer().array(),
  matrix: integer().array().array(),
  bigs: bigint({ mode: 'bigint' }).array(),
  nums: numeric().array(),
  reals: real().array(),
  bools: boolean().array(),
  texts: text().array(),
  moods: mood().array(),
  uuids: uuid().array(),
  days: date({ mode: 'date' }).array(),
  ats: timestamp().array(),
  atZones: timestamp('at_zones', { withTimezone: true }).array(),
  jsons: jsonb().array(),
  blobs: bytea().array(),
});

export const users = pgTable('users', {
  id: integer().primaryKey(),
  name: text().notNull(),
  nick: text(),
  balance: numeric().notNull(),
  score: bigint({ mode: 'bigint' }).notNull(),
  bossId: integer('boss_id'),
});

export const posts = pgTable('posts', {
  id: integer().primaryKey(),
  authorId: integer('author_id'),
  title: text().notNull(),
  at: timestamp({ withTimezone: true }).notNull(),
  day: date({ mode: 'string' }).notNull(),
  tags: text().array().notNull(),
  meta: jsonb().$type<{ readonly n: number }>(),
  views: bigint({ mode: 'number' }).notNull(),
});

export const comments = pgTable('comments', {
  id: integer().primaryKey(),
  postId: integer('post_id').notNull(),
  userId: integer('user_id'),
  body: text().notNull(),
  at: timestamp().notNull(),
  where: point(),
});

export const titles = pgView('titles', {
  id: integer().notNull(),
  title: text().notNull(),
  at: timestamp({ withTimezone: true }),
}).existing();

export const userRelations = relations(users, ({ many, one }) => ({
  posts: many(posts),
  boss: one(users, { fields: [users.bossId], references: [users.id] }),
  thing: one(everything, { fields: [users.id], references: [everything.id] }),
}));
export const postRelations = relations(posts, ({ many, one }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
  comments: many(comments),
}));
export const commentRelations = relations(comments, ({ one }) => ({
  post: one(posts, { fields: [comments.postId], references: [posts.id] }),
  user: one(users, { fields: [comments.userId], references: [users.id] }),
}));

export const schema = {
  everything,
  users,
  posts,
  comments,
  titles,
  userRelations,
  postRelations,
  commentRelations,
};

export const bodyLength = sql<number>`length(${comments.body})`;

const columns = `id serial PRIMARY KEY, bool boolean, small smallint, int integer, big_number bigint, big_big bigint,
  small_serial smallint, big_serial_number bigint, big_serial_big bigint, num numeric, num_scaled numeric(12, 3),
  num_number numeric, num_big numeric, single real, double double precision, text text, varchar varchar(40), char char(6),
  uuid uuid, mood mood, json json, jsonb jsonb, day date, day_text date, time time, time_zone timetz(3), at timestamp,
  at_text timestamp, at_zone timestamptz, at_zone_text timestamptz, interval interval, inet inet, cidr cidr,
  macaddr macaddr, macaddr8 macaddr8, point point, point_object point, line line, line_object line, bits bit(3),
  bytes bytea, ints integer[], matrix integer[][], bigs bigint[], nums numeric[], reals real[], bools boolean[],
  texts text[], moods mood[], uuids uuid[], days date[], ats timestamp[], at_zones timestamptz[], jsons jsonb[], blobs bytea[]`;

export const SETUP = `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'a "quoted" one');
CREATE TABLE everything (${columns});
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, nick text, balance numeric NOT NULL, score bigint NOT NULL,
  boss_id int);
CREATE TABLE posts (id int PRIMARY KEY, author_id int, title text NOT NULL, at timestamptz NOT NULL, day date NOT NULL,
  tags text[] NOT NULL, meta jsonb, views bigint NOT NULL);
CREATE TABLE comments (id int PRIMARY KEY, post_id int NOT NULL, user_id int, body text NOT NULL, at timestamp NOT NULL,
  "where" point);
CREATE VIEW titles AS SELECT id, title, at FROM posts;

INSERT INTO everything DEFAULT VALUES;
INSERT INTO everything VALUES (DEFAULT, true, -32768, 2147483647, 9007199254740991, 9223372036854775807, 3, 4, 5,
  123456789.123456789, 1.500, 0.25, 12345678901234567890123, 0.1, 1e-300, 'x', 'var', 'c',
  '00000000-0000-4000-8000-000000000001', 'a "quoted" one', '{"b": 1, "a": [1.50, null]}', '{"a": 1.5}', '2024-02-29',
  '2024-02-29', '12:34:56.789', '12:34:56.789+02', '2024-02-29 12:34:56.789123', '2024-02-29 12:34:56.789123',
  '2024-02-29 12:34:56.7+05:30', '2024-02-29 12:34:56+00', '1 year 2 mons 3 days 04:05:06.5', '10.0.0.1/8', '10.0.0.0/8',
  '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '(1.5,-2)', '(1e20,3)', '{1,-2,3}', '{1,2,3.5}', '101',
  '\\xdeadbeef', '{1,2,3}', '{{1,2},{3,4}}', '{9223372036854775807,-1}', '{1.50,2}', '{0.1,NaN}', '{t,f}',
  '{"a b","c\\"d",e}', '{sad,"a \\"quoted\\" one"}', '{00000000-0000-4000-8000-000000000001}', '{2024-02-29}',
  '{"2024-02-29 12:34:56"}', '{"2024-02-29 12:34:56+00"}', ARRAY['{"a": 1}', '[1, 2]']::jsonb[], '{NULL,"\\\\x00ff"}');
INSERT INTO everything (bool, small, single, double, text, json, jsonb, at, at_zone, ints, texts, day)
  VALUES (false, 0, 'NaN', '-Infinity', '', 'null', '[]', '1969-12-31 23:59:59.999', '1900-01-01 00:00:00+00', '{}', '{}',
    '0199-12-31');
INSERT INTO everything (single, double) VALUES ('-0', '-0');

INSERT INTO users VALUES (1, 'Ada', 'a', 10.50, 9007199254740991, NULL), (2, 'Bob', NULL, 0.25, 2, 1),
  (3, 'Cy', 'c', 3, 3, 2), (4, 'Di', NULL, 4, 4, 1);
INSERT INTO posts VALUES (1, 1, 'First', '2024-02-29 12:34:56.789+00', '2024-02-29', '{a,"b c"}', '{"n": 1.5}', 5),
  (2, 1, 'Second', '2024-03-01 00:00:00+00', '2024-03-01', '{}', NULL, 7),
  (3, 2, 'Third', '2024-03-02 00:00:00+00', '2024-03-02', '{z}', '{"n": 3}', 9),
  (4, NULL, 'Nobody''s', '2024-03-03 00:00:00+00', '2024-03-03', '{}', NULL, 0);
INSERT INTO comments VALUES (1, 1, 2, 'one', '2024-02-29 13:00:00.5', '(1,2)'), (2, 1, NULL, 'two', '2024-02-29 14:00:00', NULL),
  (3, 3, 1, 'three', '2024-03-02 14:00:00', '(0.5,-1)'), (4, 3, 3, 'four', '2024-03-02 15:00:00', NULL);
`;
