import type { CorpusQuery } from '../corpus.js';

/** What people ask of a music shop. */
export const QUERIES: readonly CorpusQuery[] = [
  // Lists
  `SELECT customer_id, first_name || ' ' || last_name AS full_name, country FROM customer WHERE country <> 'USA' ORDER BY customer_id`,
  [`SELECT * FROM customer WHERE country = $1 ORDER BY last_name, customer_id`, ['Brazil'], ['France']],
  `SELECT DISTINCT billing_country FROM invoice ORDER BY billing_country`,
  `SELECT * FROM employee WHERE title = 'Sales Support Agent' ORDER BY employee_id`,
  `SELECT c.first_name, c.last_name, i.invoice_id, i.invoice_date, i.billing_country
   FROM customer c JOIN invoice i ON i.customer_id = c.customer_id WHERE c.country = 'Brazil' ORDER BY i.invoice_id`,
  `SELECT e.first_name || ' ' || e.last_name AS agent, i.* FROM employee e
   JOIN customer c ON c.support_rep_id = e.employee_id JOIN invoice i ON i.customer_id = c.customer_id
   ORDER BY i.invoice_id`,
  `SELECT i.total, c.first_name, c.last_name, c.country, e.first_name AS agent FROM invoice i
   JOIN customer c USING (customer_id) LEFT JOIN employee e ON e.employee_id = c.support_rep_id`,
  `SELECT il.*, t.name AS track, ar.name AS artist FROM invoice_line il JOIN track t ON t.track_id = il.track_id
   LEFT JOIN album al ON al.album_id = t.album_id LEFT JOIN artist ar ON ar.artist_id = al.artist_id
   ORDER BY il.invoice_line_id`,
  `SELECT t.name, al.title AS album, mt.name AS media, g.name AS genre FROM track t
   LEFT JOIN album al ON al.album_id = t.album_id JOIN media_type mt ON mt.media_type_id = t.media_type_id
   LEFT JOIN genre g ON g.genre_id = t.genre_id ORDER BY t.track_id`,
  [`SELECT track_id, name, milliseconds FROM track WHERE album_id = $1 ORDER BY track_id`, [1], [7], [999]],
  [`SELECT track_id, name FROM track WHERE name ILIKE '%' || $1 || '%' ORDER BY track_id`, ['live'], ['9']],
  `SELECT name, milliseconds FROM track WHERE milliseconds > 393000 ORDER BY milliseconds DESC, track_id LIMIT 10`,
  `SELECT track_id, name, bytes FROM track ORDER BY bytes DESC NULLS LAST, track_id LIMIT 5 OFFSET 3`,
  `SELECT al.title, ar.name FROM album al, artist ar WHERE al.artist_id = ar.artist_id AND ar.name LIKE 'B%' ORDER BY al.album_id`,
  `SELECT composer, count(*) AS tracks FROM track WHERE composer IS NOT NULL GROUP BY composer HAVING count(*) > 15 ORDER BY tracks DESC, composer`,
  // Counts and sums
  `SELECT count(*), sum(total) FROM invoice WHERE invoice_date >= '2021-01-01' AND invoice_date < '2022-01-01'`,
  `SELECT extract(year FROM invoice_date) AS year, count(*) AS invoices, sum(total) AS total FROM invoice GROUP BY 1 ORDER BY 1`,
  `SELECT date_trunc('month', invoice_date) AS month, sum(total), avg(total), min(total), max(total) FROM invoice GROUP BY 1 ORDER BY 1 DESC`,
  [`SELECT count(*) AS lines FROM invoice_line WHERE invoice_id = $1`, [37], [38]],
  `SELECT invoice_id, count(*) AS lines, sum(unit_price * quantity) AS amount FROM invoice_line GROUP BY invoice_id ORDER BY invoice_id`,
  `SELECT i.invoice_id, i.total, sum(il.unit_price * il.quantity) AS of_lines FROM invoice i
   JOIN invoice_line il USING (invoice_id) GROUP BY i.invoice_id HAVING i.total <> sum(il.unit_price * il.quantity)`,
  `SELECT billing_country, count(*) FROM invoice GROUP BY billing_country ORDER BY 2 DESC, 1`,
  `SELECT billing_country, sum(total) AS revenue FROM invoice GROUP BY billing_country ORDER BY revenue DESC, billing_country LIMIT 3`,
  `SELECT p.playlist_id, p.name, count(pt.track_id) AS tracks FROM playlist p
   LEFT JOIN playlist_track pt ON pt.playlist_id = p.playlist_id GROUP BY p.playlist_id, p.name ORDER BY p.playlist_id`,
  `SELECT e.employee_id, e.last_name, sum(i.total) AS sales FROM employee e JOIN customer c ON c.support_rep_id = e.employee_id
   JOIN invoice i ON i.customer_id = c.customer_id GROUP BY e.employee_id ORDER BY sales DESC, e.employee_id`,
  `SELECT e.employee_id, e.first_name, count(c.customer_id) AS customers FROM employee e
   LEFT JOIN customer c ON c.support_rep_id = e.employee_id GROUP BY e.employee_id ORDER BY 1`,
  `SELECT g.name, count(*) AS sold, round(100.0 * count(*) / (SELECT count(*) FROM invoice_line), 2) AS percent
   FROM invoice_line il JOIN track t USING (track_id) JOIN genre g USING (genre_id) GROUP BY g.genre_id, g.name
   ORDER BY sold DESC, g.genre_id`,
  `SELECT t.track_id, t.name, sum(il.quantity) AS purchases FROM track t JOIN invoice_line il ON il.track_id = t.track_id
   GROUP BY t.track_id, t.name ORDER BY purchases DESC, t.track_id LIMIT 10`,
  `SELECT ar.artist_id, ar.name, sum(il.unit_price * il.quantity) AS revenue FROM artist ar
   JOIN album al ON al.artist_id = ar.artist_id JOIN track t ON t.album_id = al.album_id
   JOIN invoice_line il ON il.track_id = t.track_id GROUP BY ar.artist_id, ar.name ORDER BY revenue DESC, ar.artist_id LIMIT 5`,
  `SELECT mt.name, count(*) FROM media_type mt JOIN track t USING (media_type_id) JOIN invoice_line il USING (track_id)
   GROUP BY mt.media_type_id ORDER BY 2 DESC, mt.media_type_id LIMIT 1`,
  `SELECT c.country, count(DISTINCT c.customer_id) AS customers, count(i.invoice_id) AS orders, sum(i.total) AS total,
     round(sum(i.total) / count(DISTINCT c.customer_id), 2) AS per_customer
   FROM customer c JOIN invoice i ON i.customer_id = c.customer_id GROUP BY c.country ORDER BY total DESC, c.country`,
  `SELECT al.album_id, al.title, count(t.track_id) AS tracks, sum(t.milliseconds) / 60000.0 AS minutes FROM album al
   LEFT JOIN track t ON t.album_id = al.album_id GROUP BY al.album_id ORDER BY minutes DESC NULLS LAST, al.album_id LIMIT 10`,
  `SELECT ar.name, string_agg(al.title, ', ' ORDER BY al.album_id) AS albums FROM artist ar JOIN album al USING (artist_id)
   GROUP BY ar.artist_id, ar.name ORDER BY ar.artist_id`,
  `SELECT customer_id, sum(total) FILTER (WHERE invoice_date < '2021-07-01') AS first_half,
     sum(total) FILTER (WHERE invoice_date >= '2021-07-01') AS later FROM invoice GROUP BY customer_id ORDER BY customer_id`,
  `SELECT billing_country, billing_city, sum(total) FROM invoice GROUP BY ROLLUP (billing_country, billing_city)`,
  `SELECT CASE WHEN total < 3 THEN 'small' WHEN total < 7 THEN 'medium' ELSE 'large' END AS size, count(*), avg(total)
   FROM invoice GROUP BY 1`,
  // Those with and those without
  `SELECT ar.* FROM artist ar WHERE NOT EXISTS (SELECT 1 FROM album al WHERE al.artist_id = ar.artist_id) ORDER BY ar.artist_id`,
  `SELECT track_id, name FROM track WHERE track_id NOT IN (SELECT track_id FROM invoice_line) ORDER BY track_id`,
  `SELECT DISTINCT c.email, c.first_name, c.last_name FROM customer c JOIN invoice i USING (customer_id)
   JOIN invoice_line il USING (invoice_id) WHERE il.track_id IN (SELECT t.track_id FROM track t JOIN genre g USING (genre_id) WHERE g.name = 'Rock')
   ORDER BY c.email, c.first_name, c.last_name`,
  `SELECT name, milliseconds FROM track WHERE milliseconds > (SELECT avg(milliseconds) FROM track) ORDER BY milliseconds DESC, track_id`,
  [
    `SELECT p.name FROM playlist p WHERE EXISTS (SELECT FROM playlist_track pt WHERE pt.playlist_id = p.playlist_id AND pt.track_id = $1)`,
    [1],
    [20],
    [77],
  ],
  `SELECT t.track_id FROM track t JOIN playlist_track pt USING (track_id) WHERE pt.playlist_id = 1
   INTERSECT SELECT il.track_id FROM invoice_line il`,
  `SELECT email FROM customer UNION ALL SELECT email FROM employee`,
  `SELECT city FROM customer UNION SELECT city FROM employee EXCEPT SELECT billing_city FROM invoice WHERE total > 8`,
  `SELECT c.customer_id FROM customer c WHERE (SELECT count(*) FROM invoice i WHERE i.customer_id = c.customer_id) >= 5`,
  `SELECT i.* FROM invoice i WHERE i.total = (SELECT max(total) FROM invoice j WHERE j.customer_id = i.customer_id) ORDER BY i.invoice_id`,
  // Nested, ranked, stepwise
  `SELECT ar.artist_id, ar.name, (SELECT coalesce(json_agg(json_build_object('id', al.album_id, 'title', al.title) ORDER BY al.album_id), '[]')
     FROM album al WHERE al.artist_id = ar.artist_id) AS albums FROM artist ar ORDER BY ar.artist_id`,
  [
    `SELECT i.invoice_id, i.total, lines.list FROM invoice i LEFT JOIN LATERAL (
     SELECT json_agg(json_build_array(t.name, il.quantity, il.unit_price) ORDER BY il.invoice_line_id) AS list
     FROM invoice_line il JOIN track t ON t.track_id = il.track_id WHERE il.invoice_id = i.invoice_id) AS lines ON true
   WHERE i.customer_id = $1 ORDER BY i.invoice_id`,
    [3],
    [14],
  ],
  `SELECT c.customer_id, recent.invoice_id, recent.total FROM customer c CROSS JOIN LATERAL (
     SELECT i.invoice_id, i.total FROM invoice i WHERE i.customer_id = c.customer_id ORDER BY i.invoice_date DESC, i.invoice_id DESC LIMIT 2) AS recent`,
  `WITH spent AS (SELECT c.customer_id, c.country, sum(i.total) AS total FROM customer c JOIN invoice i USING (customer_id) GROUP BY c.customer_id)
   SELECT s.country, s.customer_id, s.total FROM spent s
   WHERE s.total = (SELECT max(o.total) FROM spent o WHERE o.country = s.country) ORDER BY s.country, s.customer_id`,
  `WITH sold AS (SELECT t.genre_id, i.billing_country, sum(il.quantity) AS n FROM invoice_line il JOIN invoice i USING (invoice_id)
     JOIN track t USING (track_id) GROUP BY t.genre_id, i.billing_country),
   ranked AS (SELECT *, rank() OVER (PARTITION BY billing_country ORDER BY n DESC) AS place FROM sold)
   SELECT r.billing_country, g.name, r.n FROM ranked r JOIN genre g USING (genre_id) WHERE r.place = 1`,
  `SELECT invoice_id, customer_id, total, row_number() OVER (PARTITION BY customer_id ORDER BY invoice_date, invoice_id) AS nth,
     sum(total) OVER (PARTITION BY customer_id ORDER BY invoice_date, invoice_id) AS running FROM invoice ORDER BY invoice_id`,
  `SELECT album_id, track_id, milliseconds - lag(milliseconds) OVER (PARTITION BY album_id ORDER BY track_id) AS longer FROM track WHERE album_id < 20`,
  `SELECT t.genre_id, t.track_id, dense_rank() OVER (PARTITION BY t.genre_id ORDER BY t.unit_price DESC) AS price_rank FROM track t`,
  `SELECT DISTINCT ON (customer_id) customer_id, invoice_id, invoice_date, total FROM invoice ORDER BY customer_id, invoice_date DESC, invoice_id DESC`,
  `SELECT e.first_name, e.last_name, m.first_name AS manager FROM employee e LEFT JOIN employee m ON m.employee_id = e.reports_to ORDER BY e.employee_id`,
  `WITH RECURSIVE chain AS (SELECT employee_id, last_name, 0 AS depth FROM employee WHERE reports_to IS NULL
     UNION ALL SELECT e.employee_id, e.last_name, chain.depth + 1 FROM employee e JOIN chain ON e.reports_to = chain.employee_id WHERE chain.depth < 9)
   SELECT * FROM chain ORDER BY depth, employee_id`,
];
