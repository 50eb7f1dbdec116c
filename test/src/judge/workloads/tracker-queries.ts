import type { JudgeQuery } from '../query.js';
import { query } from '../workload.js';

export const PROJECTS = 6;
export const MEMBERS = 12;
export const STATUSES = ['open', 'in_progress', 'blocked', 'closed'] as const;

const ISSUE = ['issue'];

/** One table: what the incremental gear is for. */
const oneTable: readonly JudgeQuery[] = [
  query(
    'incremental',
    'ordered',
    'issue.board',
    ISSUE,
    'SELECT id, title FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT 20',
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'incremental',
    'ordered',
    'issue.page',
    ISSUE,
    'SELECT id, title, rank, status FROM issue WHERE project_id = $1 ORDER BY rank DESC, id DESC LIMIT $2 OFFSET $3',
    (random) => [
      String(random.between(1, PROJECTS)),
      random.pick(['1', '7', '10']),
      random.pick(['0', '3', '5']),
    ],
  ),
  query(
    'incremental',
    'any order',
    'issue.mine',
    ISSUE,
    `SELECT id, title, status, urgent FROM issue WHERE assignee_id = $1 AND status <> 'closed'`,
    (random) => [String(random.between(1, MEMBERS))],
  ),
  query(
    'incremental',
    'ordered',
    'issue.unassigned',
    ISSUE,
    'SELECT id, project_id, status FROM issue WHERE assignee_id IS NULL ORDER BY id LIMIT 25',
  ),
  query(
    'incremental',
    'any order',
    'issue.in_list',
    ISSUE,
    `SELECT id, status, estimate FROM issue WHERE status IN ('open', 'blocked') AND project_id IN (1, 3, 5)
     AND estimate BETWEEN $1 AND $2`,
    (random) => {
      const low = random.int(5);
      return [String(low), String(low + 3)];
    },
  ),
  query(
    'incremental',
    'any order',
    'issue.any',
    ISSUE,
    'SELECT id, project_id, urgent FROM issue WHERE assignee_id = ANY($1) AND NOT (urgent)',
    (random) => [random.pick(['{1,2,3}', '{4,NULL,5}', '{}', '{12}'])],
  ),
  query(
    'incremental',
    'any order',
    'issue.null_logic',
    ISSUE,
    `SELECT id, estimate, urgent FROM issue WHERE project_id = $1
     AND (urgent IS NOT TRUE OR NOT (estimate > 2)) AND (estimate IS NOT NULL OR urgent IS NULL)`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'incremental',
    'any order',
    'issue.distinct_from',
    ISSUE,
    'SELECT id, assignee_id FROM issue WHERE assignee_id IS DISTINCT FROM $1 AND project_id = $2',
    (random) => [random.pick(['1', '2', null]), String(random.between(1, PROJECTS))],
  ),
  query(
    'incremental',
    'ordered',
    'issue.by_title',
    ISSUE,
    `SELECT title, id FROM issue WHERE title >= $1 AND title < $2 ORDER BY title, id LIMIT 15`,
    (random) =>
      random.pick([
        ['a', 'm'],
        ['M', 'é'],
        ['', 'b'],
        ['z', '\u{1F600}~'],
      ]),
  ),
  query(
    'incremental',
    'ordered',
    'issue.by_due',
    ISSUE,
    `SELECT id, due, started FROM issue WHERE due > $1 ORDER BY due DESC NULLS LAST, id LIMIT 12`,
    (random) => [random.pick(['2024-01-01 00:00:00+00', '2025-06-15 12:30:00.000001+02', '-infinity'])],
  ),
  query(
    'incremental',
    'ordered',
    'issue.nulls_first',
    ISSUE,
    'SELECT id, estimate FROM issue WHERE project_id = $1 ORDER BY estimate NULLS FIRST, id LIMIT 9',
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'incremental',
    'ordered',
    'issue.by_price',
    ISSUE,
    `SELECT id, price, rank FROM issue WHERE price >= $1 ORDER BY price DESC, id LIMIT 8`,
    (random) => [random.pick(['0', '2.5', '-Infinity', 'NaN'])],
  ),
  query(
    'incremental',
    'ordered',
    'issue.by_status',
    ISSUE,
    'SELECT id, status, token FROM issue WHERE project_id = $1 AND status > $2 ORDER BY status DESC, id LIMIT 10',
    (random) => [String(random.between(1, PROJECTS)), random.pick(STATUSES)],
  ),
  query(
    'incremental',
    'any order',
    'issue.wide',
    ISSUE,
    `SELECT id, body, data, tags, token FROM issue WHERE project_id = $1 AND status = 'blocked'`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'incremental',
    'ordered',
    'issue.either',
    ISSUE,
    `SELECT i.id AS issue, i.rank, i.rank AS again FROM issue i
     WHERE (i.project_id = 1 AND i.status = 'open') OR (i.project_id = 2 AND i.urgent) OR i.assignee_id = $1
     ORDER BY i.rank, i.id LIMIT 30`,
    (random) => [String(random.between(1, MEMBERS))],
  ),
  query('incremental', 'any order', 'issue.one', ISSUE, 'SELECT * FROM issue WHERE id = $1', (random) => [
    String(random.between(1, 40)),
  ]),
  query('incremental', 'any order', 'member.all', ['member'], 'SELECT * FROM member'),
  query(
    'incremental',
    'any order',
    'label.of_issue',
    ['issue_label'],
    'SELECT issue_id, label_id FROM issue_label WHERE issue_id < $1 AND label_id = $2',
    (random) => [random.pick(['50', '200']), String(random.between(1, 5))],
  ),
];

/** Everything else: what the re-run gear is for. */
const general: readonly JudgeQuery[] = [
  query(
    'rerun',
    'ordered',
    'issue.counts',
    ['project', 'issue', 'member'],
    `SELECT p.id, p.name, m.name AS member, count(*) AS issues, sum(i.estimate) AS estimate
     FROM project p JOIN issue i ON i.project_id = p.id JOIN member m ON m.id = i.assignee_id
     WHERE p.id <= $1 GROUP BY p.id, p.name, m.id, m.name ORDER BY p.id, m.id`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'any order',
    'issue.without_comments',
    ['issue', 'comment'],
    `SELECT i.id, i.title FROM issue i WHERE i.project_id = $1
     AND NOT EXISTS (SELECT FROM comment c WHERE c.issue_id = i.id)`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'ordered',
    'issue.ranked',
    ISSUE,
    `SELECT id, project_id, row_number() OVER (PARTITION BY project_id ORDER BY rank, id) AS place,
            lag(id) OVER (PARTITION BY project_id ORDER BY rank, id) AS before
     FROM issue WHERE status = 'open' ORDER BY project_id, place LIMIT 40`,
  ),
  query(
    'rerun',
    'ordered',
    'issue.with_cte',
    ['issue', 'comment'],
    `WITH busy AS (SELECT issue_id, count(*) AS n FROM comment GROUP BY issue_id HAVING count(*) > 1)
     SELECT i.id, i.title, b.n FROM issue i JOIN busy b ON b.issue_id = i.id ORDER BY b.n DESC, i.id LIMIT 10`,
  ),
  query(
    'rerun',
    'any order',
    'issue.union',
    ['issue', 'comment'],
    `SELECT 'issue' AS what, assignee_id AS who FROM issue WHERE project_id = $1
     UNION SELECT 'comment', author_id FROM comment WHERE author_id <= 6`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'any order',
    'issue.doubles',
    ['issue'],
    `SELECT status::text, urgent FROM issue WHERE project_id = $1
     UNION ALL SELECT 'extra', NULL FROM issue WHERE project_id = $1 AND estimate = 1`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'ordered',
    'issue.nested',
    ['project', 'issue', 'comment'],
    `SELECT p.id, (SELECT json_agg(json_build_object('id', i.id, 'title', i.title, 'comments',
              (SELECT count(*) FROM comment c WHERE c.issue_id = i.id)) ORDER BY i.rank, i.id)
            FROM (SELECT * FROM issue WHERE project_id = p.id AND status = 'blocked'
                  ORDER BY rank, id LIMIT 5) i) AS issues
     FROM project p ORDER BY p.id`,
  ),
  // Long rows that change a little: told by edits.
  query(
    'incremental',
    'ordered',
    'project.threads',
    ['project', 'issue', 'comment'],
    `SELECT p.id, (SELECT json_agg(json_build_object('id', i.id, 'title', i.title, 'rank', i.rank, 'comments',
              (SELECT json_agg(json_build_array(c.id, c.author_id, c.body) ORDER BY c.id) FROM comment c
               WHERE c.issue_id = i.id)) ORDER BY i.rank, i.id)
            FROM issue i WHERE i.project_id = p.id) AS issues
     FROM project p WHERE p.id <= $1 ORDER BY p.id`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'any order',
    'issue.tags',
    ISSUE,
    `SELECT tag, count(*) AS n, min(estimate) AS lowest FROM issue, unnest(tags) AS tag GROUP BY tag`,
  ),
  query(
    'rerun',
    'any order',
    'issue.ratio',
    ISSUE,
    // Fails at the positions where the divisor is 0, and answers at the others (C17).
    `SELECT 100 / (count(*) FILTER (WHERE urgent AND project_id = $1) % 4) AS ratio FROM issue`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'ordered',
    'issue.labelled',
    ['issue', 'issue_label', 'label'],
    `SELECT i.id, i.title, string_agg(l.name, ',' ORDER BY l.id) AS labels
     FROM issue i LEFT JOIN issue_label il ON il.issue_id = i.id LEFT JOIN label l ON l.id = il.label_id
     WHERE i.project_id = $1 AND i.assignee_id IS NOT NULL GROUP BY i.id ORDER BY i.id LIMIT 20`,
    (random) => [String(random.between(1, PROJECTS))],
  ),
  query(
    'rerun',
    'ordered',
    'issue.by_view',
    ['issue', 'member'],
    'SELECT name, open FROM workload WHERE open > $1 ORDER BY open DESC, name',
    (random) => [String(random.int(4))],
  ),
];

export const trackerQueries: readonly JudgeQuery[] = [...oneTable, ...general];
