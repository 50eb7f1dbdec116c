import type { CorpusQuery } from '../corpus.js';

/** What people ask of a film rental. */
export const QUERIES: readonly CorpusQuery[] = [
  // The views that everybody has
  `SELECT * FROM customer_list`,
  `SELECT id, name, city FROM customer_list WHERE country = 'Canada' ORDER BY id`,
  `SELECT * FROM staff_list ORDER BY id`,
  `SELECT * FROM film_list ORDER BY fid, category`,
  [`SELECT title, actors FROM film_list WHERE category = $1 ORDER BY fid, category`, ['Comedy'], ['Horror']],
  `SELECT * FROM nicer_film_list WHERE rating = 'PG-13' ORDER BY fid, category`,
  `SELECT * FROM sales_by_film_category ORDER BY total_sales DESC, category`,
  `SELECT * FROM sales_by_store`,
  `SELECT * FROM actor_info ORDER BY actor_id`,
  [`SELECT * FROM overdue WHERE due < $1 ORDER BY due, rental_id`, ['2022-01-20'], ['2022-02-01']],
  // Films
  `SELECT film_id, title, release_year, rating FROM film WHERE rating IN ('PG', 'R') ORDER BY film_id`,
  `SELECT title, length FROM film WHERE length BETWEEN 60 AND 90 ORDER BY length, film_id`,
  `SELECT title FROM film WHERE title LIKE 'A%' AND description ILIKE '%robot%'`,
  `SELECT title, special_features FROM film WHERE 'Trailers' = ANY (special_features) ORDER BY film_id`,
  `SELECT title, special_features FROM film WHERE special_features @> ARRAY['Commentaries'] ORDER BY film_id DESC LIMIT 10`,
  `SELECT f.film_id, f.title, l.name AS language, o.name AS original FROM film f JOIN language l USING (language_id)
   LEFT JOIN language o ON o.language_id = f.original_language_id ORDER BY f.film_id`,
  `SELECT rating, count(*), round(avg(length), 1) AS minutes, min(rental_rate), max(replacement_cost) FROM film GROUP BY rating ORDER BY rating`,
  `SELECT release_year, array_agg(title ORDER BY film_id) FROM film GROUP BY release_year ORDER BY release_year`,
  `SELECT c.name, count(fc.film_id) AS films, avg(f.rental_rate) AS rate FROM category c LEFT JOIN film_category fc USING (category_id)
   LEFT JOIN film f USING (film_id) GROUP BY c.category_id ORDER BY films DESC, c.category_id`,
  `SELECT c.name, avg(f.length) FROM film f JOIN film_category USING (film_id) JOIN category c USING (category_id)
   GROUP BY c.name HAVING avg(f.length) > (SELECT avg(length) FROM film)`,
  `SELECT film_id, title, rental_rate FROM film WHERE rental_rate > (SELECT avg(rental_rate) FROM film) ORDER BY film_id`,
  `SELECT f.film_id, f.title FROM film f WHERE NOT EXISTS (SELECT FROM inventory i WHERE i.film_id = f.film_id) ORDER BY 1`,
  `SELECT f.film_id, f.title, i.inventory_id FROM film f LEFT JOIN inventory i USING (film_id) WHERE i.film_id IS NULL`,
  [
    `SELECT f.title, count(i.inventory_id) AS copies FROM film f JOIN inventory i USING (film_id) WHERE f.title ILIKE $1 || '%' AND i.store_id = $2 GROUP BY f.film_id`,
    ['zorro', 1],
    ['love', 2],
  ],
  `SELECT i.film_id, i.store_id, count(*) FROM inventory i WHERE i.inventory_id NOT IN (SELECT inventory_id FROM rental WHERE return_date IS NULL)
   GROUP BY 1, 2`,
  `SELECT title, CASE WHEN length < 60 THEN 'short' WHEN length < 120 THEN 'medium' ELSE 'long' END AS kind FROM film WHERE length IS NOT NULL ORDER BY film_id`,
  // Actors
  [
    `SELECT a.actor_id, a.first_name, a.last_name FROM actor a JOIN film_actor USING (actor_id) WHERE film_id = $1 ORDER BY a.actor_id`,
    [1],
    [14],
  ],
  `SELECT first_name, last_name FROM actor WHERE actor_id IN (SELECT actor_id FROM film_actor WHERE film_id IN (SELECT film_id FROM film WHERE title LIKE 'ALIEN%'))`,
  `SELECT last_name, count(*) FROM actor GROUP BY last_name HAVING count(*) >= 2 ORDER BY 2 DESC, 1`,
  `SELECT a.actor_id, a.first_name || ' ' || a.last_name AS name, count(fa.film_id) AS films FROM actor a LEFT JOIN film_actor fa USING (actor_id)
   GROUP BY a.actor_id ORDER BY films DESC, a.actor_id LIMIT 10`,
  `SELECT x.actor_id AS a, y.actor_id AS b, count(*) AS together FROM film_actor x JOIN film_actor y ON x.film_id = y.film_id AND x.actor_id < y.actor_id
   GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY together DESC, 1, 2`,
  `SELECT f.film_id, f.title, coalesce((SELECT jsonb_agg(jsonb_build_object('id', a.actor_id, 'name', a.last_name) ORDER BY a.actor_id)
     FROM film_actor fa JOIN actor a USING (actor_id) WHERE fa.film_id = f.film_id), '[]') AS actors FROM film f ORDER BY f.film_id LIMIT 20`,
  `SELECT DISTINCT a.last_name FROM actor a JOIN film_actor USING (actor_id) JOIN film_category fc USING (film_id) WHERE fc.category_id = 3`,
  // Customers, rentals, payments
  `SELECT first_name, last_name, email FROM customer WHERE NOT activebool ORDER BY customer_id`,
  `SELECT c.first_name, c.last_name, a.address, ci.city FROM customer c JOIN address a USING (address_id) JOIN city ci USING (city_id)
   JOIN country co USING (country_id) WHERE co.country = 'Brazil' ORDER BY c.customer_id`,
  `SELECT c.customer_id, sum(p.amount) AS paid, count(*) AS times FROM customer c JOIN payment p USING (customer_id) GROUP BY c.customer_id ORDER BY paid DESC, 1 LIMIT 5`,
  [
    `SELECT r.rental_id, r.rental_date, f.title, r.return_date FROM rental r JOIN inventory USING (inventory_id) JOIN film f USING (film_id)
    WHERE r.customer_id = $1 ORDER BY r.rental_date DESC, r.rental_id`,
    [1],
    [8],
    [42],
  ],
  `SELECT rental_id, return_date - rental_date AS kept FROM rental WHERE return_date IS NOT NULL ORDER BY kept DESC, rental_id LIMIT 10`,
  `SELECT f.film_id, f.title, count(*) AS rentals FROM rental r JOIN inventory i USING (inventory_id) JOIN film f USING (film_id)
   GROUP BY f.film_id ORDER BY rentals DESC, f.film_id LIMIT 10`,
  `SELECT c.name, count(*) AS rentals FROM category c JOIN film_category USING (category_id) JOIN inventory USING (film_id) JOIN rental USING (inventory_id)
   GROUP BY c.category_id, c.name ORDER BY rentals DESC, c.category_id LIMIT 3`,
  `SELECT date_trunc('day', payment_date) AS day, sum(amount) FROM payment GROUP BY 1 ORDER BY 1`,
  `SELECT extract(month FROM rental_date) AS month, extract(isodow FROM rental_date) AS weekday, count(*) FROM rental GROUP BY 1, 2`,
  `SELECT i.store_id, f.rating, count(*), sum(p.amount) FROM payment p JOIN rental r USING (rental_id) JOIN inventory i USING (inventory_id)
   JOIN film f USING (film_id) GROUP BY GROUPING SETS ((i.store_id, f.rating), (i.store_id), ())`,
  `SELECT s.staff_id, s.first_name, sum(p.amount) AS total FROM staff s LEFT JOIN payment p ON p.staff_id = s.staff_id
   AND p.payment_date >= '2022-02-01' AND p.payment_date < '2022-03-01' GROUP BY s.staff_id`,
  `SELECT r.* FROM rental r LEFT JOIN payment p USING (rental_id) WHERE p.payment_id IS NULL ORDER BY r.rental_id`,
  `SELECT c.customer_id, c.last_name FROM customer c WHERE EXISTS (SELECT FROM rental r WHERE r.customer_id = c.customer_id AND r.return_date IS NULL)`,
  `SELECT c.customer_id FROM customer c JOIN payment p USING (customer_id) GROUP BY c.customer_id HAVING sum(p.amount) > 20 AND bool_and(p.amount > 0.5)`,
  `SELECT count(DISTINCT customer_id) AS customers, count(*) AS rentals, max(rental_date) FROM rental WHERE rental_date >= '2022-01-15'`,
  `SELECT customer_id FROM rental WHERE staff_id = 1 EXCEPT SELECT customer_id FROM rental WHERE staff_id = 2`,
  `SELECT first_name, last_name FROM actor UNION SELECT first_name, last_name FROM customer`,
  `SELECT ci.city, count(cu.customer_id) FROM city ci LEFT JOIN address a USING (city_id) LEFT JOIN customer cu USING (address_id) GROUP BY ci.city_id, ci.city`,
  `WITH paid AS (SELECT customer_id, sum(amount) AS total FROM payment GROUP BY customer_id)
   SELECT c.customer_id, coalesce(paid.total, 0) AS total, CASE WHEN paid.total > 25 THEN 'gold' WHEN paid.total > 15 THEN 'silver' ELSE 'none' END AS tier
   FROM customer c LEFT JOIN paid USING (customer_id) ORDER BY c.customer_id`,
  `SELECT payment_id, customer_id, amount, sum(amount) OVER (PARTITION BY customer_id ORDER BY payment_date, payment_id) AS running FROM payment ORDER BY payment_date, payment_id`,
  `SELECT film_id, rating, rank() OVER (PARTITION BY rating ORDER BY length DESC NULLS LAST) AS place FROM film ORDER BY film_id`,
  `SELECT * FROM (SELECT c.store_id, c.customer_id, row_number() OVER (PARTITION BY c.store_id ORDER BY count(r.rental_id) DESC, c.customer_id) AS place
     FROM customer c JOIN rental r USING (customer_id) GROUP BY c.store_id, c.customer_id) AS t WHERE place <= 3`,
  `SELECT customer_id, rental_id, rental_date - lag(rental_date) OVER (PARTITION BY customer_id ORDER BY rental_date, rental_id) AS since FROM rental`,
  `SELECT DISTINCT ON (r.customer_id) r.customer_id, f.title, r.rental_date FROM rental r JOIN inventory USING (inventory_id) JOIN film f USING (film_id)
   ORDER BY r.customer_id, r.rental_date DESC, r.rental_id`,
  `SELECT co.country, (SELECT count(*) FROM customer cu JOIN address a USING (address_id) JOIN city ci USING (city_id) WHERE ci.country_id = co.country_id) AS customers
   FROM country co ORDER BY co.country, co.country_id`,
];
