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
  expect(tree.out.replace(/^template .*\n/m, '')).toBe(
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
