import type { Random } from '../../kit/random.js';
import { step, type Workload, type WriteSession } from '../workload.js';
import { MEMBERS, PROJECTS, STATUSES, trackerQueries } from './tracker-queries.js';

/*
 * An issue tracker. Ids come from a small range, so that rows are deleted and come back, and windows run dry.
 * Bodies are long and do not compress: an update of another column leaves them out of the stream.
 */
const ISSUES = 400;
const STARTING_ISSUES = 250;
const BODY_CHARS = 3000;

const WORDS = [
  'alpha',
  'Beta',
  'gamma',
  'Äpfel',
  'éclair',
  'zeta',
  'Zulu',
  'ı',
  '',
  '~',
  '\u{1F600} smile',
  "o'x\\y",
];
const PRICES = ['0', '-0', '1', '2.5', '1e300', 'NaN', 'Infinity', '-Infinity', '0.1', null];
const DUES = [
  '2024-02-29 10:00:00.123456+00',
  '2025-06-15 10:30:00+00',
  '2026-01-01 00:00:00+00',
  'infinity',
  null,
];
const RANKS = ['1', '1.0', '1.00', '2.5', '-3', '1000000.000001', 'NaN'];

export const tracker: Workload = {
  name: 'tracker',
  schema: `
    CREATE TYPE issue_status AS ENUM ('open', 'in_progress', 'blocked', 'closed');
    CREATE TABLE member (id int PRIMARY KEY, name text NOT NULL, active boolean NOT NULL DEFAULT true);
    CREATE TABLE project (id int PRIMARY KEY, name text NOT NULL, archived boolean);
    CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, assignee_id int, title text COLLATE "C" NOT NULL,
      status issue_status NOT NULL, rank numeric NOT NULL, estimate int, price float8, due timestamptz, started date,
      token uuid, urgent boolean, body text, data jsonb, tags text[]);
    CREATE INDEX ON issue (project_id);
    ALTER TABLE issue ALTER COLUMN body SET STORAGE EXTERNAL;
    CREATE TABLE comment (id bigserial PRIMARY KEY, issue_id int NOT NULL, author_id int, body text);
    CREATE INDEX ON comment (issue_id);
    CREATE TABLE label (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE issue_label (issue_id int, label_id int, PRIMARY KEY (issue_id, label_id));
    CREATE VIEW workload AS SELECT m.name, count(i.id) AS open FROM member m
      LEFT JOIN issue i ON i.assignee_id = m.id AND i.status <> 'closed' GROUP BY m.id, m.name;`,
  rows: (random) =>
    [
      `INSERT INTO member SELECT i, 'member ' || i FROM generate_series(1, ${MEMBERS}) i`,
      `INSERT INTO project SELECT i, 'project ' || i, i = 6 FROM generate_series(1, ${PROJECTS}) i`,
      `INSERT INTO label SELECT i, 'label ' || i FROM generate_series(1, 5) i`,
      `INSERT INTO issue (id, project_id, assignee_id, title, status, rank, estimate, urgent, tags, body)
       SELECT i, 1 + i % ${PROJECTS}, nullif(i % ${MEMBERS + 1}, 0), 'issue ' || i,
              (enum_range(NULL::issue_status))[1 + i % 4], (i * 7919) % 101, nullif(i % 8, 0),
              CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END, ARRAY['t' || i % 4, 't' || i % 7],
              CASE WHEN i % 5 = 0 THEN '${random.text(BODY_CHARS)}' || i END
       FROM generate_series(1, ${STARTING_ISSUES}) i`,
      `INSERT INTO comment (issue_id, author_id, body) SELECT 1 + i % 90, 1 + i % ${MEMBERS}, 'comment ' || i
       FROM generate_series(1, 200) i`,
      `INSERT INTO issue_label SELECT i, 1 + i % 5 FROM generate_series(1, 100) i`,
      '',
    ].join(';\n'),
  steps: [
    step('open an issue', 14, (session, random) => putIssue(session, random, 'nothing')),
    step('upsert an issue', 6, (session, random) => putIssue(session, random, 'replace')),
    step('change a field', 22, changeField),
    step('rank to the top', 8, async (session, random) => {
      await session.sql('UPDATE issue SET rank = rank - $2::int WHERE id = $1', [
        issueId(random),
        random.int(40),
      ]);
    }),
    step('swap two ranks', 4, async (session, random) => {
      const [a, b] = [issueId(random), issueId(random)].sort((x, y) => x - y);
      await session.sql(
        `UPDATE issue SET rank = CASE issue.id WHEN $1 THEN o.b ELSE o.a END
         FROM (SELECT x.rank AS a, y.rank AS b FROM issue x, issue y WHERE x.id = $1 AND y.id = $2) o
         WHERE issue.id IN ($1, $2)`,
        [a, b],
      );
    }),
    step('swap two ids', 2, async (session, random) => {
      const [a, b] = [issueId(random), issueId(random)].sort((x, y) => x - y);
      if (a === b) return;
      await session.sql('UPDATE issue SET id = -($1::int) WHERE id = $1', [a]);
      await session.sql('UPDATE issue SET id = $1 WHERE id = $2', [a, b]);
      await session.sql('UPDATE issue SET id = $2 WHERE id = -($1::int)', [a, b]);
    }),
    step('delete an issue', 9, async (session, random) => {
      const id = issueId(random);
      await session.sql('DELETE FROM comment WHERE issue_id = $1', [id]);
      await session.sql('DELETE FROM issue_label WHERE issue_id = $1', [id]);
      await session.sql('DELETE FROM issue WHERE id = $1', [id]);
    }),
    step('empty a window', 2, async (session, random) => {
      await session.sql(
        `DELETE FROM issue WHERE id IN (SELECT id FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT 30)`,
        [random.between(1, PROJECTS)],
      );
    }),
    step('move issues to another project', 3, async (session, random) => {
      const [from, to] = [random.between(1, PROJECTS), random.between(1, PROJECTS)];
      // Their bodies do not travel: views of the other project have never seen them.
      await session.sql(
        'UPDATE issue SET project_id = $2 WHERE project_id = $1 AND id % 5 = 0 AND id < 120',
        [from, to],
      );
    }),
    step('bulk update', 1, async (session, random) => {
      await session.sql('UPDATE issue SET estimate = (id + $1) % 9, urgent = NOT urgent', [random.int(9)]);
    }),
    step('bulk insert', 1, async (session, random) => {
      await session.sql(
        `INSERT INTO comment (issue_id, author_id, body)
         SELECT 1 + (i * $1) % ${ISSUES}, 1 + i % ${MEMBERS}, 'bulk' FROM generate_series(1, 600) i`,
        [random.between(1, 50)],
      );
    }),
    step('trim the comments', 2, async (session) => {
      await session.sql('DELETE FROM comment WHERE id < (SELECT max(id) FROM comment) - 400');
    }),
    step('comment', 12, async (session, random) => {
      await session.sql('INSERT INTO comment (issue_id, author_id, body) VALUES ($1, $2, $3)', [
        issueId(random),
        random.between(1, MEMBERS),
        random.pick(WORDS),
      ]);
    }),
    step('label', 8, async (session, random) => {
      const [issue, label] = [issueId(random), random.between(1, 5)];
      const removed = await session.sql(
        'DELETE FROM issue_label WHERE issue_id = $1 AND label_id = $2 RETURNING 1',
        [issue, label],
      );
      if (removed.length > 0) return;
      await session.sql('INSERT INTO issue_label VALUES ($1, $2) ON CONFLICT DO NOTHING', [issue, label]);
    }),
    step('rename a member', 2, async (session, random) => {
      await session.sql('UPDATE member SET name = $2, active = NOT active WHERE id = $1', [
        random.between(1, MEMBERS),
        `member ${random.int(100)}`,
      ]);
    }),
    step('touch a row without changing it', 3, async (session, random) => {
      await session.sql('UPDATE issue SET title = title WHERE id = $1', [issueId(random)]);
    }),
  ],
  queries: trackerQueries,
  always: [],
  invariants: [],
};

function issueId(random: Random): number {
  return random.chance(0.5) ? random.between(1, 60) : random.between(1, ISSUES);
}

async function putIssue(
  session: WriteSession,
  random: Random,
  conflict: 'nothing' | 'replace',
): Promise<void> {
  await session.sql(
    `INSERT INTO issue (id, project_id, assignee_id, title, status, rank, estimate, price, due, started, token, urgent,
       body, data, tags)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (id) DO ` +
      (conflict === 'nothing'
        ? 'NOTHING'
        : 'UPDATE SET (project_id, status, rank, price, data) = (excluded.project_id, excluded.status, excluded.rank, excluded.price, excluded.data)'),
    [
      issueId(random),
      random.between(1, PROJECTS),
      random.chance(0.2) ? null : random.between(1, MEMBERS),
      random.pick(WORDS),
      random.pick(STATUSES),
      random.chance(0.2) ? random.pick(RANKS) : random.int(100),
      random.chance(0.3) ? null : random.int(9),
      random.pick(PRICES),
      random.pick(DUES),
      random.pick(['2024-02-29', '0044-03-15 BC', 'infinity', null]),
      random.chance(0.3) ? null : uuid(random),
      random.pick([true, false, null]),
      random.chance(0.5) ? random.text(BODY_CHARS) : random.pick([null, '', 'short']),
      random.pick([null, '{}', '{"a": 1.00, "b": [1, null]}', '"text"', '12345678901234567890']),
      random.pick([null, [], ['a', 'b'], ['t1', null, 'with "quotes", and {braces}']]),
    ],
  );
}

const FIELDS: readonly ((random: Random) => readonly [string, unknown])[] = [
  (random) => ['status', random.pick(STATUSES)],
  (random) => ['assignee_id', random.chance(0.3) ? null : random.between(1, MEMBERS)],
  (random) => ['title', `${random.pick(WORDS)}${random.int(9)}`],
  (random) => ['estimate', random.chance(0.3) ? null : random.int(9)],
  (random) => ['price', random.pick(PRICES)],
  (random) => ['due', random.pick(DUES)],
  (random) => ['urgent', random.pick([true, false, null])],
  (random) => ['rank', random.pick(RANKS)],
  (random) => ['project_id', random.between(1, PROJECTS)],
  (random) => ['body', random.chance(0.6) ? random.text(BODY_CHARS) : null],
  (random) => ['token', random.chance(0.3) ? null : uuid(random)],
];

async function changeField(session: WriteSession, random: Random): Promise<void> {
  const [column, value] = random.pick(FIELDS)(random);
  await session.sql(`UPDATE issue SET ${column} = $2 WHERE id = $1`, [issueId(random), value]);
}

function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => random.int(16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
