/** A film rental: films and their actors, shops and what they have in stock, who rented it and what was paid. */
export const SCHEMA = `
CREATE TYPE rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
CREATE DOMAIN year AS int CHECK (VALUE BETWEEN 1901 AND 2155);
CREATE TABLE actor (actor_id int PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, last_update timestamptz NOT NULL DEFAULT '2022-02-15');
CREATE TABLE category (category_id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE language (language_id int PRIMARY KEY, name char(20) NOT NULL);
CREATE TABLE country (country_id int PRIMARY KEY, country text NOT NULL);
CREATE TABLE city (city_id int PRIMARY KEY, city text NOT NULL, country_id int NOT NULL REFERENCES country);
CREATE TABLE address (
  address_id int PRIMARY KEY, address text NOT NULL, district text NOT NULL, city_id int NOT NULL REFERENCES city,
  postal_code text, phone text NOT NULL);
CREATE TABLE store (store_id int PRIMARY KEY, manager_staff_id int NOT NULL, address_id int NOT NULL REFERENCES address);
CREATE TABLE staff (
  staff_id int PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, address_id int NOT NULL REFERENCES address,
  email text, store_id int NOT NULL REFERENCES store, active bool NOT NULL DEFAULT true, picture bytea);
CREATE TABLE customer (
  customer_id int PRIMARY KEY, store_id int NOT NULL REFERENCES store, first_name text NOT NULL, last_name text NOT NULL,
  email text, address_id int NOT NULL REFERENCES address, activebool bool NOT NULL DEFAULT true,
  create_date date NOT NULL DEFAULT '2022-02-14', active int);
CREATE TABLE film (
  film_id int PRIMARY KEY, title text NOT NULL, description text, release_year year,
  language_id int NOT NULL REFERENCES language, original_language_id int REFERENCES language,
  rental_duration smallint NOT NULL DEFAULT 3, rental_rate numeric(4, 2) NOT NULL DEFAULT 4.99, length smallint,
  replacement_cost numeric(5, 2) NOT NULL DEFAULT 19.99, rating rating DEFAULT 'G', special_features text[]);
CREATE TABLE film_actor (
  actor_id int REFERENCES actor ON DELETE CASCADE, film_id int REFERENCES film ON DELETE CASCADE, PRIMARY KEY (actor_id, film_id));
CREATE TABLE film_category (
  film_id int REFERENCES film ON DELETE CASCADE, category_id int REFERENCES category ON DELETE CASCADE, PRIMARY KEY (film_id, category_id));
CREATE TABLE inventory (
  inventory_id int PRIMARY KEY, film_id int NOT NULL REFERENCES film ON DELETE CASCADE, store_id int NOT NULL REFERENCES store);
CREATE TABLE rental (
  rental_id int PRIMARY KEY, rental_date timestamptz NOT NULL, inventory_id int NOT NULL REFERENCES inventory ON DELETE CASCADE,
  customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE, return_date timestamptz, staff_id int NOT NULL REFERENCES staff);
CREATE TABLE payment (
  payment_id int, customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE, staff_id int NOT NULL REFERENCES staff,
  rental_id int NOT NULL REFERENCES rental ON DELETE CASCADE, amount numeric(5, 2) NOT NULL, payment_date timestamptz,
  PRIMARY KEY (payment_date, payment_id)) PARTITION BY RANGE (payment_date);
CREATE TABLE payment_2022_01 PARTITION OF payment FOR VALUES FROM ('2022-01-01') TO ('2022-02-01');
CREATE TABLE payment_2022_02 PARTITION OF payment FOR VALUES FROM ('2022-02-01') TO ('2022-03-01');
CREATE TABLE payment_2022_03 PARTITION OF payment FOR VALUES FROM ('2022-03-01') TO ('2022-04-01');
CREATE INDEX ON film_actor (film_id);
CREATE INDEX ON inventory (film_id);
CREATE INDEX ON rental (inventory_id);
CREATE INDEX ON rental (customer_id);
CREATE INDEX ON payment (rental_id);

CREATE VIEW customer_list AS
  SELECT cu.customer_id AS id, cu.first_name || ' ' || cu.last_name AS name, a.address, a.postal_code AS "zip code", a.phone,
    city.city, country.country, CASE WHEN cu.activebool THEN 'active' ELSE '' END AS notes, cu.store_id AS sid
  FROM customer cu JOIN address a ON cu.address_id = a.address_id JOIN city ON a.city_id = city.city_id
    JOIN country ON city.country_id = country.country_id;
CREATE VIEW staff_list AS
  SELECT s.staff_id AS id, s.first_name || ' ' || s.last_name AS name, a.address, a.phone, city.city, country.country, s.store_id AS sid
  FROM staff s JOIN address a USING (address_id) JOIN city USING (city_id) JOIN country USING (country_id);
CREATE VIEW film_list AS
  SELECT film.film_id AS fid, film.title, film.description, category.name AS category, film.rental_rate AS price, film.length, film.rating,
    string_agg(actor.first_name || ' ' || actor.last_name, ', ' ORDER BY actor.actor_id) AS actors
  FROM film LEFT JOIN film_category USING (film_id) LEFT JOIN category USING (category_id)
    LEFT JOIN film_actor USING (film_id) LEFT JOIN actor USING (actor_id)
  GROUP BY film.film_id, category.category_id, category.name;
CREATE VIEW nicer_film_list AS
  SELECT film.film_id AS fid, film.title, category.name AS category, film.rating,
    string_agg(upper(substring(actor.first_name FROM 1 FOR 1)) || lower(substring(actor.first_name FROM 2)) || ' '
      || upper(substring(actor.last_name FROM 1 FOR 1)) || lower(substring(actor.last_name FROM 2)), ', ' ORDER BY actor.actor_id) AS actors
  FROM category JOIN film_category USING (category_id) JOIN film USING (film_id) JOIN film_actor USING (film_id) JOIN actor USING (actor_id)
  GROUP BY film.film_id, film.title, category.category_id, category.name, film.rating;
CREATE VIEW sales_by_film_category AS
  SELECT c.name AS category, sum(p.amount) AS total_sales
  FROM payment p JOIN rental r ON p.rental_id = r.rental_id JOIN inventory i ON r.inventory_id = i.inventory_id
    JOIN film f ON i.film_id = f.film_id JOIN film_category fc ON f.film_id = fc.film_id JOIN category c ON fc.category_id = c.category_id
  GROUP BY c.name;
CREATE VIEW sales_by_store AS
  SELECT c.city || ',' || cy.country AS store, m.first_name || ' ' || m.last_name AS manager, sum(p.amount) AS total_sales
  FROM payment p JOIN rental r ON p.rental_id = r.rental_id JOIN inventory i ON r.inventory_id = i.inventory_id
    JOIN store s ON i.store_id = s.store_id JOIN address a ON s.address_id = a.address_id JOIN city c ON a.city_id = c.city_id
    JOIN country cy ON c.country_id = cy.country_id JOIN staff m ON s.manager_staff_id = m.staff_id
  GROUP BY cy.country, c.city, s.store_id, m.first_name, m.last_name;
CREATE VIEW actor_info AS
  SELECT a.actor_id, a.first_name, a.last_name,
    string_agg(DISTINCT c.name || ': ' || (
      SELECT string_agg(f.title, ', ' ORDER BY f.film_id) FROM film f JOIN film_category fc2 ON f.film_id = fc2.film_id
        JOIN film_actor fa2 ON f.film_id = fa2.film_id WHERE fc2.category_id = c.category_id AND fa2.actor_id = a.actor_id), '; ') AS film_info
  FROM actor a LEFT JOIN film_actor fa ON a.actor_id = fa.actor_id LEFT JOIN film_category fc ON fa.film_id = fc.film_id
    LEFT JOIN category c ON fc.category_id = c.category_id
  GROUP BY a.actor_id, a.first_name, a.last_name;
CREATE VIEW overdue AS
  SELECT r.rental_id, cu.last_name || ', ' || cu.first_name AS customer, a.phone, f.title, r.rental_date,
    r.rental_date + f.rental_duration * interval '1 day' AS due
  FROM rental r JOIN customer cu USING (customer_id) JOIN address a USING (address_id) JOIN inventory i USING (inventory_id)
    JOIN film f USING (film_id) WHERE r.return_date IS NULL;
`;

export const ROWS: readonly string[] = [
  `INSERT INTO actor SELECT n, (ARRAY['PENELOPE', 'NICK', 'ED', 'JENNIFER', 'ZOË'])[1 + n % 5], (ARRAY['GUINESS', 'WAHLBERG', 'CHASE', 'DAVIS', 'BERRY', 'ÅKE', 'KILMER'])[1 + n % 7] FROM generate_series(1, 30) AS n`,
  `INSERT INTO category SELECT n, (ARRAY['Action', 'Animation', 'Comedy', 'Drama', 'Horror', 'Sci-Fi', 'Travel'])[n] FROM generate_series(1, 7) AS n`,
  `INSERT INTO language VALUES (1, 'English'), (2, 'Italian'), (3, 'Japanese')`,
  `INSERT INTO country SELECT n, (ARRAY['Australia', 'Canada', 'India', 'Åland', 'Brazil'])[n] FROM generate_series(1, 5) AS n`,
  `INSERT INTO city SELECT n, 'City ' || n, 1 + n % 5 FROM generate_series(1, 14) AS n`,
  `INSERT INTO address SELECT n, n || ' Street', 'District ' || n % 4, 1 + n % 14, CASE WHEN n % 3 > 0 THEN (10000 + n)::text END, '555-' || n FROM generate_series(1, 50) AS n`,
  `INSERT INTO store VALUES (1, 1, 1), (2, 2, 2)`,
  `INSERT INTO staff VALUES (1, 'Mike', 'Hillyer', 3, 'mike@rental.example', 1, true, '\\x89504e47'), (2, 'Jon', 'Stephens', 4, NULL, 2, true, NULL)`,
  `INSERT INTO customer SELECT n, 1 + n % 2, (ARRAY['MARY', 'LINDA', 'JOSÉ', 'SUSAN'])[1 + n % 4], (ARRAY['SMITH', 'JONES', 'WILSON'])[1 + n % 3] || n,
    CASE WHEN n % 8 > 0 THEN 'c' || n || '@mail.example' END, 5 + n, n % 7 > 0, date '2022-02-14' + n % 3, (n % 7 > 0)::int FROM generate_series(1, 45) AS n`,
  `INSERT INTO film SELECT n, (ARRAY['ACADEMY', 'ZORRO', 'MAUDE', 'ALIEN', 'LOVE'])[1 + n % 5] || ' ' || (ARRAY['DINOSAUR', 'ARK', 'MOD', 'CENTER'])[1 + n % 4] || ' ' || n,
    CASE WHEN n % 6 > 0 THEN 'A tale of a ' || (ARRAY['Feminist', 'Dog', 'Robot'])[1 + n % 3] || ' who must fight in ' || n % 10 END, 2000 + n % 7, 1 + n % 2, CASE WHEN n % 10 = 0 THEN 3 END,
    3 + n % 5, (ARRAY[0.99, 2.99, 4.99])[1 + n % 3], CASE WHEN n % 17 > 0 THEN 46 + n * 37 % 140 END, 9.99 + n % 20, enum_first(NULL::rating),
    CASE WHEN n % 4 = 0 THEN ARRAY['Trailers', 'Deleted Scenes'] WHEN n % 4 = 1 THEN ARRAY['Commentaries'] ELSE '{}' END FROM generate_series(1, 80) AS n`,
  `UPDATE film SET rating = (enum_range(NULL::rating))[1 + film_id % 5] WHERE film_id % 13 > 0`,
  `INSERT INTO film_actor SELECT DISTINCT 1 + n % 29, 1 + n * 13 % 77 FROM generate_series(1, 220) AS n`,
  `INSERT INTO film_category SELECT n, 1 + n * 5 % 7 FROM generate_series(1, 76) AS n`,
  `INSERT INTO inventory SELECT n, 1 + n * 11 % 70, 1 + n % 2 FROM generate_series(1, 140) AS n`,
  `INSERT INTO rental SELECT n, timestamptz '2022-01-03 10:00:00+00' + n * interval '5 hours 7 minutes', 1 + n * 17 % 130, 1 + n * 7 % 43,
    CASE WHEN n % 6 > 0 THEN timestamptz '2022-01-03 10:00:00+00' + n * interval '5 hours 7 minutes' + n % 9 * interval '21 hours' END, 1 + n % 2 FROM generate_series(1, 260) AS n`,
  `INSERT INTO payment SELECT rental_id, customer_id, staff_id, rental_id, (ARRAY[0.99, 2.99, 4.99, 5.99])[1 + rental_id % 4], rental_date FROM rental WHERE rental_id % 12 > 0`,
];
