import { query, step, type SchemaStep, type Workload } from '../workload.js';

/*
 * A schema that changes under the queries: a column that comes and goes, a type that is altered with every value, a
 * view and functions that mean something else, a partition that is taken away and put back, replica identities, and
 * rewrites that change nothing. Some queries read what is altered, others of the same table do not.
 */
const IDS = 60;

export const schema: Workload = {
  name: 'schema',
  schema: `
    CREATE TABLE sheet (id int PRIMARY KEY, kind int, amount int, weight int NOT NULL, note text, big text);
    ALTER TABLE sheet ALTER COLUMN big SET STORAGE EXTERNAL;
    CREATE TABLE sheet_extra (id int PRIMARY KEY, kind int);
    CREATE VIEW sheet_view AS SELECT id, kind, weight FROM sheet WHERE weight % 2 = 0;
    CREATE FUNCTION sheet_rate(n int) RETURNS int LANGUAGE sql STABLE AS 'SELECT n * 2';
    CREATE FUNCTION sheet_heavy(k int) RETURNS bigint LANGUAGE sql STABLE
      AS 'SELECT count(*) FROM sheet WHERE kind = k AND weight > 10';
    CREATE VIEW sheet_rated AS SELECT id, sheet_rate(weight) AS rate FROM sheet;
    CREATE VIEW sheet_counted AS SELECT k AS kind, sheet_heavy(k) AS heavy FROM generate_series(0, 3) k;
    CREATE TABLE shelf (id int, side text, n int, PRIMARY KEY (id, side)) PARTITION BY LIST (side);
    CREATE TABLE shelf_left PARTITION OF shelf FOR VALUES IN ('left');
    CREATE TABLE shelf_right PARTITION OF shelf FOR VALUES IN ('right');`,
  rows: () => `
    INSERT INTO sheet SELECT i, i % 4, i, i % 30, 'n' || i FROM generate_series(1, 40) i;
    INSERT INTO sheet_extra SELECT i, i % 4 FROM generate_series(1, 30) i;
    INSERT INTO shelf SELECT i, (ARRAY['left', 'right'])[1 + i % 2], i % 9 FROM generate_series(1, 40) i;`,
  steps: [
    step('sheet', 12, async (session, random) => {
      await session.sql(
        `INSERT INTO sheet AS s (id, kind, amount, weight, note, big) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, amount = excluded.amount, weight = s.weight + 1`,
        [
          random.between(1, IDS),
          random.int(4),
          random.int(100),
          random.int(30),
          random.pick(['x', null]),
          random.chance(0.2) ? random.text(2500) : null,
        ],
      );
    }),
    step('delete a sheet', 3, async (session, random) => {
      await session.sql('DELETE FROM sheet WHERE id = $1', [random.between(1, IDS)]);
    }),
    step('sheet with a column that comes and goes', 3, async (session, random) => {
      await session.sql(
        'INSERT INTO sheet_extra (id, kind) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind',
        [random.between(1, IDS), random.int(4)],
      );
    }),
    step('shelf', 6, async (session, random) => {
      // The right one may be away just now, and is then a table like any other.
      const side = random.pick(['left', 'right']);
      await session.sql(
        `INSERT INTO shelf_${side} AS s VALUES ($1, $2, $3) ON CONFLICT (id, side) DO UPDATE SET n = excluded.n`,
        [random.between(1, IDS), side, random.int(9)],
      );
      if (random.chance(0.3)) await session.sql('DELETE FROM shelf WHERE id = $1', [random.between(1, IDS)]);
    }),
  ],
  schemaSteps: schemaSteps(),
  schemaEnd: (session) =>
    session.ddl('ALTER TABLE sheet_extra ADD COLUMN IF NOT EXISTS extra int NOT NULL DEFAULT 3', [
      'sheet_extra',
    ]),
  queries: [
    query(
      'incremental',
      'ordered',
      'sheet.amounts',
      ['sheet'],
      'SELECT id, amount FROM sheet WHERE kind = $1 ORDER BY amount DESC, id LIMIT 8',
      (random) => [String(random.int(4))],
    ),
    query(
      'incremental',
      'any order',
      'sheet.notes',
      ['sheet'],
      'SELECT id, note, big FROM sheet WHERE kind = $1',
      (random) => [String(random.int(4))],
    ),
    query(
      'rerun',
      'any order',
      'sheet.sum',
      ['sheet'],
      'SELECT sum(amount) AS sum, count(*) AS n FROM sheet',
    ),
    query(
      'rerun',
      'ordered',
      'sheet.by_view',
      ['sheet', 'sheet_view'],
      'SELECT id, weight FROM sheet_view WHERE kind = $1 ORDER BY weight, id LIMIT 12',
      (random) => [String(random.int(4))],
    ),
    {
      ...query(
        'rerun',
        'any order',
        'sheet.rated',
        ['sheet', 'sheet_rate'],
        'SELECT id, rate FROM sheet_rated WHERE rate > 20',
      ),
      named: true,
    },
    {
      ...query(
        'rerun',
        'any order',
        'sheet.counted',
        ['sheet', 'sheet_heavy'],
        'SELECT kind, heavy FROM sheet_counted',
      ),
      named: true,
    },
    query(
      'incremental',
      'any order',
      'sheet.everything',
      ['sheet_extra'],
      'SELECT * FROM sheet_extra WHERE kind = $1',
      (random) => [String(random.int(4))],
    ),
    {
      ...query(
        'incremental',
        'ordered',
        'sheet.extra',
        ['sheet_extra'],
        'SELECT id, extra FROM sheet_extra WHERE extra > 2 ORDER BY extra, id LIMIT 10',
      ),
      endsWith: ['column_unknown'],
    },
    query(
      'incremental',
      'ordered',
      'shelf.all',
      ['shelf'],
      'SELECT id, side, n FROM shelf WHERE n < $1 ORDER BY id, side LIMIT 25',
      (random) => [String(random.between(3, 9))],
    ),
    query(
      'rerun',
      'any order',
      'shelf.sides',
      ['shelf'],
      'SELECT side, count(*) AS n FROM shelf GROUP BY side',
    ),
  ],
  always: [],
  invariants: [],
};

function schemaSteps(): readonly SchemaStep[] {
  return [
    {
      name: 'add a column, or drop it',
      run: async (session, random) => {
        if (await has(session, EXTRA)) {
          await session.ddl('ALTER TABLE sheet_extra DROP COLUMN extra', ['sheet_extra']);
          return;
        }
        await session.ddl(`ALTER TABLE sheet_extra ADD COLUMN extra int NOT NULL DEFAULT ${random.int(6)}`, [
          'sheet_extra',
        ]);
        // Rows that the same transaction writes under the new shape.
        if (random.chance(0.6)) await session.sql('UPDATE sheet_extra SET extra = id % 7 WHERE id % 3 = 0');
      },
    },
    {
      name: 'alter a type, and with it every value',
      run: async (session, random) => {
        const type = random.pick(['int', 'int', 'bigint']);
        const before = random.chance(0.3);
        if (before) await session.sql('UPDATE sheet SET amount = amount + 1 WHERE id % 4 = 0');
        await session.ddl(
          `ALTER TABLE sheet ALTER COLUMN amount TYPE ${type} USING (amount * 7 + ${random.int(100)}) % 101`,
          ['sheet'],
        );
        if (random.chance(0.3)) await session.sql('UPDATE sheet SET amount = amount + 1 WHERE id % 4 = 1');
      },
    },
    {
      name: 'replace a view',
      run: (session, random) =>
        session.ddl(
          `CREATE OR REPLACE VIEW sheet_view AS SELECT id, kind, weight + ${random.int(9)} AS weight FROM sheet
           WHERE weight % ${random.between(2, 4)} = 0`,
          ['sheet_view'],
        ),
    },
    {
      name: 'replace a function',
      run: (session, random) =>
        random.chance(0.5)
          ? session.ddl(
              `CREATE OR REPLACE FUNCTION sheet_rate(n int) RETURNS int LANGUAGE sql STABLE
               AS 'SELECT n * ${random.between(1, 9)}'`,
              ['sheet_rate'],
            )
          : session.ddl(
              `CREATE OR REPLACE FUNCTION sheet_heavy(k int) RETURNS bigint LANGUAGE sql STABLE
               AS 'SELECT count(*) FROM sheet WHERE kind = k AND weight > ${random.int(30)}'`,
              ['sheet_heavy'],
            ),
    },
    {
      name: 'detach a partition, or attach it',
      run: async (session) => {
        const attached = await has(
          session,
          `SELECT FROM pg_class WHERE relname = 'shelf_right' AND relispartition`,
        );
        await session.ddl(
          attached
            ? 'ALTER TABLE shelf DETACH PARTITION shelf_right'
            : `ALTER TABLE shelf ATTACH PARTITION shelf_right FOR VALUES IN ('right')`,
          ['shelf'],
        );
      },
    },
    {
      name: 'another replica identity',
      run: (session, random) =>
        session.ddl(
          `ALTER TABLE ${random.pick(['sheet', 'sheet_extra'])} REPLICA IDENTITY ${random.pick(['FULL', 'DEFAULT'])}`,
          ['sheet', 'sheet_extra'],
        ),
    },
    {
      name: 'create an index, or drop it',
      run: (session, random) =>
        session.ddl(
          random.chance(0.5)
            ? 'CREATE INDEX IF NOT EXISTS sheet_weight ON sheet (weight)'
            : 'DROP INDEX IF EXISTS sheet_weight',
          ['sheet'],
        ),
    },
    {
      name: 'rewrite a table as it is',
      run: (session) => session.ddl('CLUSTER sheet USING sheet_pkey', ['sheet']),
    },
    { name: 'vacuum full', alone: 'VACUUM FULL sheet', run: () => Promise.resolve() },
    {
      name: 'truncate, and alter what is empty',
      run: async (session, random) => {
        await session.sql('TRUNCATE sheet');
        await session.ddl(`ALTER TABLE sheet ALTER COLUMN note SET DEFAULT '${random.pick(['p', 'q'])}'`, [
          'sheet',
        ]);
        await session.sql(
          'INSERT INTO sheet (id, kind, amount, weight) SELECT i, i % 4, i, i % 30 FROM generate_series(1, 40) i',
        );
      },
    },
  ];
}

const EXTRA = `SELECT FROM pg_attribute WHERE attrelid = 'sheet_extra'::regclass AND attname = 'extra' AND NOT attisdropped`;

async function has(
  session: { sql(text: string): Promise<readonly unknown[]> },
  sql: string,
): Promise<boolean> {
  return (await session.sql(sql)).length > 0;
}
