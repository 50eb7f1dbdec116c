/** The queries of `cost.ts`, each of one project, and a change of one row that alters the answer of one binding. */
export interface Template {
  readonly sql: string;
  /** Issues of each project. */
  readonly rows: number;
  /** The n-th write, in PL/pgSQL: of project `p`. */
  readonly write: string;
  /** Operations that a change comes to. */
  readonly altered: number;
}

const retitled = (rows: number): string => `UPDATE issue SET title = 'v' || n WHERE id = p * ${rows};`;

export const TEMPLATES: Readonly<Record<string, Template>> = {
  filter: {
    sql: 'SELECT id, title FROM issue WHERE project_id = $1',
    rows: 5,
    write: retitled(5),
    altered: 1,
  },
  'three-way join': {
    sql: `SELECT i.id, i.title, p.name, a.name AS assignee FROM issue i
      JOIN project p ON p.id = i.project_id LEFT JOIN person a ON a.id = i.assignee_id WHERE i.project_id = $1`,
    rows: 5,
    write: retitled(5),
    altered: 1,
  },
  'top 50': {
    sql: 'SELECT id, title, rank FROM issue WHERE project_id = $1 ORDER BY rank, id LIMIT 50',
    rows: 60,
    write: retitled(60),
    altered: 1,
  },
  'count by group': {
    sql: 'SELECT status, count(*) FROM issue WHERE project_id = $1 GROUP BY status',
    rows: 5,
    // One issue leaves the group that all are in, for one of its own, or comes back: both groups are told.
    write: 'UPDATE issue SET status = 1 - status WHERE id = p * 5;',
    altered: 2,
  },
  exists: {
    sql: `SELECT i.id, i.title FROM issue i
      WHERE i.project_id = $1 AND EXISTS (SELECT FROM comment c WHERE c.issue_id = i.id)`,
    rows: 5,
    write: `DELETE FROM comment WHERE id = p; IF NOT FOUND THEN INSERT INTO comment VALUES (p, p * 5); END IF;`,
    altered: 1,
  },
};

/** Every other project is where a write would have left it: as many writes of a round undo as do, with any number of bindings. */
export function tablesOf(projects: number, rows: number): string {
  return `
    CREATE TABLE project (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, assignee_id int, status int NOT NULL,
      rank int NOT NULL, title text NOT NULL);
    CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL);
    INSERT INTO project SELECT n, 'project ' || n FROM generate_series(0, ${projects - 1}) n;
    INSERT INTO person SELECT n, 'person ' || n FROM generate_series(0, ${projects - 1}) n;
    INSERT INTO issue SELECT n, n / ${rows}, n % ${projects},
      CASE WHEN n % ${rows} = 0 THEN n / ${rows} % 2 ELSE 0 END, n % ${rows}, 'issue ' || n
      FROM generate_series(0, ${projects * rows - 1}) n;
    INSERT INTO comment SELECT p, p * ${rows} FROM generate_series(1, ${projects - 1}, 2) p;
    CREATE INDEX ON issue (project_id);
    CREATE INDEX ON comment (issue_id);
    ANALYZE;`;
}

/** Over `touched` of the bindings, spread evenly among all: each of these is as likely to be next as any other. */
export function writesOf({ write }: Template, { bindings, touched, from, changes }: Writes): string {
  return `DO $$ DECLARE p int; BEGIN
    FOR n IN ${from}..${from + changes - 1} LOOP
      p := (n::bigint * 7919) % ${touched} * ${Math.floor(bindings / touched)};
      ${write}
      COMMIT;
    END LOOP; END $$`;
}

export interface Writes {
  readonly bindings: number;
  readonly touched: number;
  readonly from: number;
  readonly changes: number;
}
