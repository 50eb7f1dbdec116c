import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { LABELS, MEMBER_COLORS, MEMBERS, TEAMS } from './company.js';
import { madeUpIssues, type Batch } from './made-up.js';

const BATCH_ROWS = 2_500;
const FOLDER = new URL('../../database/', import.meta.url);

/** The types of the columns that `unnest` is given; `label_ids` travels as text, as lists of lists must be square. */
const ISSUE_TYPES: Readonly<Record<keyof Batch['issues'], string>> = {
  id: 'int',
  team_id: 'int',
  project_id: 'int',
  number: 'int',
  title: 'text',
  description: 'text',
  status: 'issue_status',
  priority: 'smallint',
  assignee_id: 'int',
  creator_id: 'int',
  label_ids: 'text',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
};
const COMMENT_TYPES: Readonly<Record<keyof Batch['comments'], string>> = {
  issue_id: 'int',
  author_id: 'int',
  body: 'text',
  created_at: 'timestamptz',
};

/** Whether the tables are there: they come with their rows, or not at all. */
export async function isSeeded(url: string): Promise<boolean> {
  return connected(url, async (client) => {
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('public.issue') IS NOT NULL AS there`,
    );
    return rows[0]?.there === true;
  });
}

/**
 * Tables and rows in one transaction: whoever interrupts it leaves an empty database.
 * @param progress told the share that is done, 0 to 1
 */
export async function seed(url: string, count: number, progress: (share: number) => void): Promise<void> {
  await connected(url, async (client) => {
    await client.query('BEGIN');
    await client.query(await readFile(new URL('schema.sql', FOLDER), 'utf8'));
    await insertPeople(client);
    let done = 0;
    for (const batch of madeUpIssues(count, BATCH_ROWS, Date.now())) {
      await insert(client, 'issue', batch.issues, ISSUE_TYPES);
      await insert(client, 'comment', batch.comments, COMMENT_TYPES);
      done += batch.issues.id.length;
      progress((done / count) * 0.85);
    }
    await client.query(`SELECT setval('issue_id_seq', max(id)) FROM issue`);
    await client.query(await readFile(new URL('indexes.sql', FOLDER), 'utf8'));
    await createIfPossible(client, await readFile(new URL('search.sql', FOLDER), 'utf8'));
    await client.query('COMMIT');
    progress(0.97);
    await client.query('VACUUM (ANALYZE)');
    progress(1);
  });
}

/** What the server does not have, or does not let us, is left out. */
async function createIfPossible(client: pg.Client, sql: string): Promise<void> {
  await client.query('SAVEPOINT possible');
  await client.query(sql).catch(() => client.query('ROLLBACK TO SAVEPOINT possible'));
}

async function insertPeople(client: pg.Client): Promise<void> {
  const projects = TEAMS.flatMap((team, index) =>
    team.projects.map((project) => ({ ...project, teamId: index + 1 })),
  );
  await client.query(
    'INSERT INTO team (key, name, color) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])',
    [TEAMS.map(({ key }) => key), TEAMS.map(({ name }) => name), TEAMS.map(({ color }) => color)],
  );
  await client.query(
    'INSERT INTO project (team_id, name, color) SELECT * FROM unnest($1::int[], $2::text[], $3::text[])',
    [
      projects.map(({ teamId }) => teamId),
      projects.map(({ name }) => name),
      projects.map(({ color }) => color),
    ],
  );
  await client.query('INSERT INTO member (name, color) SELECT * FROM unnest($1::text[], $2::text[])', [
    MEMBERS,
    MEMBERS.map((_, index) => MEMBER_COLORS[index % MEMBER_COLORS.length]),
  ]);
  await client.query('INSERT INTO label (name, color) SELECT * FROM unnest($1::text[], $2::text[])', [
    LABELS.map(({ name }) => name),
    LABELS.map(({ color }) => color),
  ]);
}

async function insert<Name extends string>(
  client: pg.Client,
  table: string,
  columns: Record<Name, unknown[]>,
  types: Readonly<Record<Name, string>>,
): Promise<void> {
  const names = Object.keys(columns) as Name[];
  const lists = names.map((name, index) => `$${index + 1}::${types[name]}[]`);
  const values = names.map((name) => (name === 'label_ids' ? 'label_ids::int[]' : name));
  await client.query(
    `INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')}
     FROM unnest(${lists.join(', ')}) AS made_up (${names.join(', ')})`,
    names.map((name) => columns[name]),
  );
}

export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
