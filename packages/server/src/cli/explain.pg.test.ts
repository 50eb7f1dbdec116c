import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sluice } from '../testing/cli.js';
import { sharedDatabase } from '../testing/shared.js';

const TABLES = `
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TABLE issue (id int PRIMARY KEY, project_id int NOT NULL, title text, mood mood, tags text[]);
  CREATE TABLE log (line text);
  CREATE MATERIALIZED VIEW frozen AS SELECT * FROM issue`;

test('explain shows the gear, the reason and the plan as a tree', async () => {
  const database = await sharedDatabase(TABLES);
  const explain = (sql: string, ...flags: string[]): ReturnType<typeof sluice> =>
    sluice(['explain', sql, '--database-url', database.url, ...flags]);
  const tree = await explain(
    `SELECT title, id FROM issue WHERE project_id = $1 AND (title IS NULL OR NOT mood = 'sad') ORDER BY title DESC LIMIT 5`,
  );
  expect(tree.code).toBe(0);
  expect(tree.out.replace(/^(template|estimate) .*\n/gm, '')).toBe(
    [
      'gear        incremental',
      'parameters  $1 int4',
      'columns     title text, id integer',
      'reads       public.issue',
      'key         id',
      'ordered     yes',
      'hint        CREATE INDEX ON public.issue (project_id): its rows are looked up by that, and no index begins with it.',
      'plan',
      '  limit 5',
      '    order by title desc, id',
      '      project title, id',
      '        filter',
      '          and',
      '            project_id = $1',
      '            or',
      '              title is null',
      '              not',
      "                mood = 'sad'",
      '        table public.issue',
      '',
    ].join('\n'),
  );
  const rerun = await explain('SELECT count(*) FROM issue, log', '--json');
  expect(JSON.parse(rerun.out)).toMatchObject({
    gear: 'rerun',
    reason: expect.stringMatching(/\w/) as string,
    reads: expect.arrayContaining(['public.issue', 'public.log']) as string[],
    plan: { sql: 'SELECT count(*) FROM issue, log' },
  });
  const clock = await explain('SELECT id FROM issue WHERE now() IS NOT NULL');
  expect(clock.out).toContain('subscribe with a tick');
  for (const [sql, code] of [
    ['DELETE FROM issue', 'select_only'],
    ['SELECT nope FROM issue', 'column_unknown'],
    ['SELECT * FROM frozen', 'relation_not_replicated'],
    ['SELECT random() FROM issue', 'function_volatile'],
  ] as const) {
    const refused = await explain(sql);
    expect({ sql, code: refused.code, out: refused.out, said: refused.err.includes('→') }).toEqual({
      sql,
      code: 1,
      out: '',
      said: true,
    });
    expect(refused.err, sql).toContain(`[${code}]`);
  }
  await database.drop();
});

test('explain estimates what a view may hold by what Postgres expects, and says that it is an estimate', async () => {
  const database = await sharedDatabase(`
    CREATE TABLE project (id int PRIMARY KEY, name text COLLATE "C");
    CREATE TABLE item (id int PRIMARY KEY, project int, title text COLLATE "C", body text) PARTITION BY RANGE (id);
    CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM (0) TO (10000);
    CREATE TABLE item_2 PARTITION OF item FOR VALUES FROM (10000) TO (30000);
    CREATE INDEX ON item (project);
    INSERT INTO project SELECT n, lpad(n::text, 10) FROM generate_series(0, 199) n;
    INSERT INTO item SELECT n, n % 200, lpad(n::text, 20), repeat('x', 500) FROM generate_series(0, 19999) n;
    ANALYZE`);
  const estimated = async (sql: string): Promise<unknown> => {
    const { out } = await sluice(['explain', sql, '--json', '--database-url', database.url]);
    return (JSON.parse(out) as { estimate: unknown }).estimate;
  };
  const { out } = await sluice([
    'explain',
    'SELECT id, name FROM project WHERE id < 100',
    '--database-url',
    database.url,
  ]);
  expect(out.split('\n').filter((line) => /^(estimate|ordered|plan|hint|views)/.test(line))).toEqual([
    'ordered     no',
    "estimate    by Postgres's statistics an answer of some 100 rows in 1500 bytes; one view holds some 100 rows in 19100 bytes",
    'plan',
  ]);
  // A hundred of one project: an answer of one row, but all of these are held.
  expect(
    await estimated(
      'SELECT p.name, count(*) FROM project p JOIN item i ON i.project = p.id WHERE p.id = $1 GROUP BY 1',
    ),
  ).toMatchObject({ heldRows: 101 });
  // Each project once, however often the join looks for it; long values count where they are read.
  const [bodies, titles] = [
    await estimated('SELECT p.name, i.body FROM project p JOIN item i ON i.project = p.id'),
    await estimated('SELECT p.name, i.title FROM project p JOIN item i ON i.project = p.id'),
  ] as { rows: number; heldRows: number; heldBytes: number }[];
  expect([bodies?.rows, bodies?.heldRows, titles?.heldRows]).toEqual([20_000, 20_200, 20_200]);
  expect((bodies?.heldBytes ?? 0) - (titles?.heldBytes ?? 0)).toBeGreaterThan(20_000 * 450);
  // What is run again holds its answer alone.
  expect(await estimated(`SELECT count(*) FROM item WHERE title ~ $1`)).toMatchObject({
    rows: 1,
    heldRows: 1,
  });
  await database.drop();
});

test('generate writes the schema as JSON and TypeScript', async () => {
  const database = await sharedDatabase(TABLES);
  const out = await mkdtemp(join(tmpdir(), 'sluice-generate-'));
  const { code } = await sluice(['generate', '--out', out, '--database-url', database.url]);
  expect(code).toBe(0);
  const schema = JSON.parse(await readFile(join(out, 'schema.json'), 'utf8')) as {
    tables: unknown[];
    enums: unknown;
  };
  expect(schema.enums).toEqual([{ schema: 'public', name: 'mood', labels: ['sad', 'ok'] }]);
  expect(schema.tables).toContainEqual(
    expect.objectContaining({
      name: 'issue',
      published: true,
      primaryKey: ['id'],
      columns: expect.arrayContaining([
        { name: 'tags', type: 'text[]', notNull: false },
        { name: 'mood', type: 'public.mood', notNull: false },
      ]) as unknown[],
    }),
  );
  expect(await readFile(join(out, 'schema.ts'), 'utf8')).toContain("'sad' | 'ok'");
  await database.drop();
});
