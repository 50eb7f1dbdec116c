// Two live queries in ten lines:  node examples/live.mjs http://127.0.0.1:4400 1
import { createClient } from '@sluice/client';

const [url = 'http://127.0.0.1:4400', project = '1'] = process.argv.slice(2);
const { client } = createClient({ url });
const top = 'SELECT id, title FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT 20';
const perUser = `SELECT u.name, count(*) AS comments FROM comment c JOIN issue i ON i.id = c.issue_id
  JOIN app_user u ON u.id = c.author_id WHERE i.project_id = $1 GROUP BY u.name ORDER BY u.name`;
for (const sql of [top, perUser]) {
  const view = client.live({ sql, params: [Number(project)] });
  view.subscribe(({ status, rows }) => status === 'current' && console.log(rows));
}
