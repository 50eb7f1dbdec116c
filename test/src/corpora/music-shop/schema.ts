/** A music shop: artists, albums, tracks, playlists, and what customers bought of them from whom. */
export const SCHEMA = `
CREATE TABLE artist (artist_id int PRIMARY KEY, name varchar(120));
CREATE TABLE album (
  album_id int PRIMARY KEY, title varchar(160) NOT NULL,
  artist_id int NOT NULL REFERENCES artist ON DELETE CASCADE);
CREATE TABLE genre (genre_id int PRIMARY KEY, name varchar(120));
CREATE TABLE media_type (media_type_id int PRIMARY KEY, name varchar(120));
CREATE TABLE playlist (playlist_id int PRIMARY KEY, name varchar(120));
CREATE TABLE employee (
  employee_id int PRIMARY KEY, last_name varchar(20) NOT NULL, first_name varchar(20) NOT NULL, title varchar(30),
  reports_to int REFERENCES employee ON DELETE SET NULL, birth_date timestamp, hire_date timestamp,
  city varchar(40), country varchar(40), email varchar(60));
CREATE TABLE customer (
  customer_id int PRIMARY KEY, first_name varchar(40) NOT NULL, last_name varchar(20) NOT NULL, company varchar(80),
  address varchar(70), city varchar(40), state varchar(40), country varchar(40), phone varchar(24),
  email varchar(60) NOT NULL, support_rep_id int REFERENCES employee ON DELETE SET NULL);
CREATE TABLE invoice (
  invoice_id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE,
  invoice_date timestamp NOT NULL, billing_city varchar(40), billing_country varchar(40),
  total numeric(10, 2) NOT NULL);
CREATE TABLE track (
  track_id int PRIMARY KEY, name varchar(200) NOT NULL, album_id int REFERENCES album ON DELETE CASCADE,
  media_type_id int NOT NULL REFERENCES media_type ON DELETE CASCADE,
  genre_id int REFERENCES genre ON DELETE SET NULL, composer varchar(220), milliseconds int NOT NULL, bytes int,
  unit_price numeric(10, 2) NOT NULL);
CREATE TABLE invoice_line (
  invoice_line_id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoice ON DELETE CASCADE,
  track_id int NOT NULL REFERENCES track ON DELETE CASCADE, unit_price numeric(10, 2) NOT NULL,
  quantity int NOT NULL);
CREATE TABLE playlist_track (
  playlist_id int NOT NULL REFERENCES playlist ON DELETE CASCADE,
  track_id int NOT NULL REFERENCES track ON DELETE CASCADE, PRIMARY KEY (playlist_id, track_id));
CREATE INDEX ON album (artist_id);
CREATE INDEX ON track (album_id);
CREATE INDEX ON track (genre_id);
CREATE INDEX ON invoice (customer_id);
CREATE INDEX ON invoice_line (invoice_id);
CREATE INDEX ON invoice_line (track_id);
CREATE INDEX ON playlist_track (track_id);
`;

export const ROWS: readonly string[] = [
  `INSERT INTO artist SELECT n, CASE WHEN n = 13 THEN NULL ELSE (ARRAY['Ahead', 'Blue', 'Čas', 'Delta', 'Ökto', 'Zebra'])[1 + n % 6] || ' ' || n END FROM generate_series(1, 25) AS n`,
  `INSERT INTO album SELECT n, 'Album ' || chr(64 + n % 26 + 1) || n, 1 + n * 7 % 23 FROM generate_series(1, 50) AS n`,
  `INSERT INTO genre SELECT n, (ARRAY['Rock', 'Jazz', 'Metal', 'Blues', 'Latin', 'Pop', 'Opera', 'rock'])[n] FROM generate_series(1, 8) AS n`,
  `INSERT INTO media_type VALUES (1, 'MPEG'), (2, 'AAC'), (3, 'Video')`,
  `INSERT INTO playlist VALUES (1, 'Music'), (2, 'Movies'), (3, 'Music'), (4, 'Running'), (5, NULL), (6, 'Classics')`,
  `INSERT INTO employee SELECT n, (ARRAY['Adams', 'Edwards', 'Peacock', 'Park', 'Johnson', 'Mitchell', 'King', 'Callas'])[n],
    (ARRAY['Ann', 'Nan', 'Joe', 'Max', 'Sue', 'Mia', 'Rob', 'Liv'])[n],
    CASE WHEN n = 1 THEN 'General Manager' WHEN n IN (2, 6) THEN 'Manager' ELSE 'Sales Support Agent' END,
    CASE WHEN n = 1 THEN NULL WHEN n IN (2, 6) THEN 1 WHEN n < 6 THEN 2 ELSE 6 END,
    timestamp '1960-02-18' + n * interval '500 days', timestamp '2002-04-01' + n * interval '100 days',
    (ARRAY['Calgary', 'Edmonton'])[1 + n % 2], 'Canada', 'e' || n || '@shop.example' FROM generate_series(1, 8) AS n`,
  `INSERT INTO customer SELECT n, 'First' || n % 17, (ARRAY['Álvarez', 'Berg', 'Costa', 'Dubois', 'Étienne'])[1 + n % 5] || n,
    CASE WHEN n % 5 = 0 THEN 'Company ' || n END, n || ' Main Street', 'City ' || n % 11, CASE WHEN n % 3 = 0 THEN 'ST' || n % 4 END,
    (ARRAY['USA', 'Canada', 'Brazil', 'France', 'Germany', 'Norway'])[1 + n % 6], CASE WHEN n % 4 > 0 THEN '+1 ' || n END,
    'c' || n || '@mail.example', CASE WHEN n % 9 > 0 THEN 3 + n % 3 END FROM generate_series(1, 40) AS n`,
  `INSERT INTO invoice SELECT n, 1 + n * 13 % 37, timestamp '2021-01-01' + n * interval '3 days', 'City ' || n % 11,
    (ARRAY['USA', 'Canada', 'Brazil', 'France', 'Germany', 'Norway'])[1 + n % 6], (n % 9 + 1) * 0.99 FROM generate_series(1, 150) AS n`,
  `INSERT INTO track SELECT n, 'Track ' || (n * 31 % 97) || CASE WHEN n % 10 = 0 THEN ' (Live)' ELSE '' END,
    CASE WHEN n % 40 > 0 THEN 1 + n % 47 END, 1 + n % 3, CASE WHEN n % 33 > 0 THEN 1 + n % 7 END,
    CASE WHEN n % 4 > 0 THEN 'Composer ' || n % 12 END, 60000 + n * 7919 % 400000, CASE WHEN n % 20 > 0 THEN n * 104729 % 9000000 END,
    CASE WHEN n % 3 = 2 THEN 1.99 ELSE 0.99 END FROM generate_series(1, 250) AS n`,
  `INSERT INTO invoice_line SELECT n, 1 + n * 17 % 150, 1 + n * 29 % 230, CASE WHEN n % 5 = 0 THEN 1.99 ELSE 0.99 END, 1 + n % 13 / 12 FROM generate_series(1, 450) AS n`,
  `INSERT INTO playlist_track SELECT DISTINCT 1 + n % 4, 1 + n * 19 % 240 FROM generate_series(1, 300) AS n`,
];
