import { FUNCTIONS } from '@sluice/core/expression/all';
import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { Need } from '@sluice/core/flow/block-engine';
import { FlowEngine } from '@sluice/core/flow/flow-engine';
import type { Block } from '@sluice/core/flow/plan';
import type { Row } from '@sluice/core/flow/row';
import type { PgText } from '@sluice/core/value';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { analyse } from '../../analysis/analyse.js';
import { NotExpressible } from '../../analysis/expression-reasons.js';
import { OUTPUT_SETTINGS } from '../../source/database.js';
import type { TestDatabase } from '../../testing/postgres.js';
import { sharedDatabase } from '../../testing/shared.js';
import { NotABlock } from './reasons.js';
import { toBlock, type BlockPlan } from './to-block.js';

/*
 * From the text of a query to its rows, through random writes: what the engine holds is what Postgres answers. The
 * tables are read whole by the test, which plays the stream by comparing them with what they were.
 */

const TABLES: Readonly<Record<string, readonly string[]>> = {
  users: ['id', 'name', 'active', 'boss_id'],
  teams: ['id', 'name'],
  members: ['user_id', 'team_id', 'role'],
  projects: ['id', 'team_id', 'name'],
  issues: ['id', 'project_id', 'title', 'status', 'priority', 'assignee_id', 'at'],
  comments: ['id', 'issue_id', 'user_id', 'body'],
  labels: ['issue_id', 'label'],
};
const KEYS: Readonly<Record<string, readonly string[]>> = {
  members: ['user_id', 'team_id'],
  labels: ['issue_id', 'label'],
};

const SETUP = `
  CREATE TYPE status AS ENUM ('open', 'started', 'done');
  CREATE TABLE users (id int PRIMARY KEY, name text COLLATE "C" NOT NULL, active bool NOT NULL, boss_id int);
  CREATE TABLE teams (id int PRIMARY KEY, name text);
  CREATE TABLE members (user_id int, team_id int, role text, PRIMARY KEY (user_id, team_id));
  CREATE TABLE projects (id int PRIMARY KEY, team_id int, name text);
  CREATE TABLE issues (id int PRIMARY KEY, project_id int, title text COLLATE "C", status status, priority int,
    assignee_id int, at timestamptz);
  CREATE TABLE comments (id int PRIMARY KEY, issue_id int, user_id int, body text);
  CREATE TABLE labels (issue_id int, label text, PRIMARY KEY (issue_id, label));
  CREATE VIEW open_issues AS SELECT i.*, p.name AS project FROM issues i JOIN projects p ON p.id = i.project_id WHERE i.status <> 'done';`;

const QUERIES: readonly (readonly [string, (readonly PgText[])?])[] = [
  ['SELECT id, title FROM issues WHERE project_id = $1', ['1']],
  [
    `SELECT id, upper(title) AS t, priority * 2 + 1 AS p FROM issues WHERE status = 'open' AND priority > $1`,
    ['1'],
  ],
  ['SELECT i.id, u.name FROM issues i JOIN users u ON u.id = i.assignee_id WHERE i.project_id = $1', ['1']],
  [
    'SELECT i.id, u.name FROM issues i LEFT JOIN users u ON u.id = i.assignee_id AND u.active WHERE i.project_id = $1',
    ['1'],
  ],
  ['SELECT i.id FROM issues i LEFT JOIN users u ON u.id = i.assignee_id WHERE u.id IS NULL'],
  ['SELECT u.name, b.name FROM users u LEFT JOIN users b ON b.id = u.boss_id'],
  [
    'SELECT p.name, i.title, u.name FROM projects p, issues i, users u WHERE i.project_id = p.id AND u.id = i.assignee_id AND p.team_id = $1',
    ['1'],
  ],
  ['SELECT i.id FROM issues i RIGHT JOIN projects p ON p.id = i.project_id WHERE p.team_id = 1'],
  [
    `SELECT id FROM issues i WHERE EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id AND c.user_id = $1)`,
    ['1'],
  ],
  ['SELECT id FROM issues i WHERE NOT EXISTS (SELECT FROM comments c WHERE c.issue_id = i.id)'],
  [`SELECT id FROM issues WHERE project_id IN (SELECT id FROM projects WHERE team_id = $1)`, ['1']],
  [`SELECT id FROM issues WHERE assignee_id NOT IN (SELECT id FROM users WHERE active)`],
  [`SELECT id FROM users WHERE id NOT IN (SELECT assignee_id FROM issues)`],
  [
    `SELECT id FROM issues WHERE project_id = ANY (SELECT p.id FROM projects p JOIN members m ON m.team_id = p.team_id WHERE m.user_id = $1)`,
    ['1'],
  ],
  ['SELECT status, count(*) FROM issues WHERE project_id = $1 GROUP BY status', ['1']],
  ['SELECT count(*), sum(priority), min(at), max(priority), bool_and(priority > 0) FROM issues'],
  [
    `SELECT p.name, count(i.id) FILTER (WHERE i.status = 'open') AS open, count(DISTINCT i.assignee_id) FROM projects p LEFT JOIN issues i ON i.project_id = p.id GROUP BY p.id`,
  ],
  ['SELECT assignee_id, count(*) AS n FROM issues GROUP BY assignee_id HAVING count(*) > 1'],
  ['SELECT DISTINCT status, priority FROM issues'],
  ['SELECT DISTINCT i.project_id FROM issues i JOIN comments c ON c.issue_id = i.id'],
  ['SELECT id, priority FROM issues ORDER BY priority DESC NULLS LAST, id LIMIT 3'],
  ['SELECT id FROM issues WHERE project_id = $1 ORDER BY at, title, id LIMIT 2 OFFSET 1', ['1']],
  ['SELECT u.name, (SELECT count(*) FROM issues i WHERE i.assignee_id = u.id) AS n FROM users u'],
  [
    'SELECT u.name, (SELECT max(priority) FROM issues i WHERE i.assignee_id = u.id AND i.project_id = $1) AS top FROM users u',
    ['1'],
  ],
  [
    'SELECT t.name, s.n FROM teams t JOIN (SELECT team_id, count(*) AS n FROM projects GROUP BY team_id) s ON s.team_id = t.id',
  ],
  [
    'SELECT i.id, l.body FROM issues i CROSS JOIN LATERAL (SELECT c.body FROM comments c WHERE c.issue_id = i.id ORDER BY c.id DESC LIMIT 1) l',
  ],
  [
    'SELECT i.id, l.body FROM issues i LEFT JOIN LATERAL (SELECT c.body FROM comments c WHERE c.issue_id = i.id ORDER BY c.id DESC LIMIT 1) l ON true WHERE i.project_id = $1',
    ['1'],
  ],
  ['SELECT id, project FROM open_issues WHERE assignee_id = $1', ['1']],
  [
    'WITH mine AS (SELECT * FROM issues WHERE assignee_id = $1) SELECT m.id, p.name FROM mine m JOIN projects p ON p.id = m.project_id',
    ['1'],
  ],
  [
    'SELECT i.id FROM issues i JOIN projects p ON p.id = i.project_id JOIN members m ON m.team_id = p.team_id WHERE m.user_id = $1',
    ['1'],
  ],
  [
    `SELECT CASE WHEN priority > 2 THEN 'high' ELSE coalesce(title, '-') END AS c, id FROM issues WHERE title LIKE 'a%' OR priority IN (1, 2)`,
  ],
  [
    'SELECT a.id, b.id FROM issues a JOIN issues b ON a.priority = b.priority AND a.id < b.id WHERE a.project_id = $1',
    ['1'],
  ],
  [
    'SELECT count(*) FROM issues i WHERE i.priority > (SELECT count(*) FROM comments c WHERE c.issue_id = i.id)',
  ],
  [
    'SELECT u.id FROM users u WHERE (SELECT count(*) FROM issues i WHERE i.assignee_id = u.id) > (SELECT count(*) FROM comments c WHERE c.user_id = u.id)',
  ],
];

let database: TestDatabase;
let pool: pg.Pool;
let client: pg.Client;

beforeAll(async () => {
  database = await sharedDatabase(SETUP);
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  client = new pg.Client({ connectionString: database.adminUrl, types: { getTypeParser: () => String } });
  await client.connect();
  for (const [name, value] of Object.entries(OUTPUT_SETTINGS)) await client.query(`SET ${name} = '${value}'`);
});
afterAll(async () => {
  await client.end();
  await pool.end();
  await database.drop();
});

async function plan(sql: string, types: readonly string[]): Promise<BlockPlan | string> {
  const analysis = await analyse(pool, { sql, paramTypes: types, schemas: ['public'] });
  if (analysis.kind !== 'analysed') return analysis.reason;
  const { rows } = await client.query<{
    oid: string;
    name: string;
    attnum: string;
    column: string;
    typid: string;
    typtype: string;
  }>(
    `SELECT c.oid, c.relname AS name, a.attnum, a.attname AS column, a.atttypid AS typid, t.typtype FROM pg_class c
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 JOIN pg_type t ON t.oid = a.atttypid WHERE c.relnamespace = 'public'::regnamespace`,
  );
  try {
    return toBlock(analysis.query, analysis.facts, (oid) => {
      const own = rows.filter((row) => Number(row.oid) === oid);
      const key = KEYS[own[0]?.name ?? ''] ?? ['id'];
      return {
        key: own.filter(({ column }) => key.includes(column)).map(({ attnum }) => Number(attnum)),
        column: (attnum) => ({
          name: own.find((row) => Number(row.attnum) === attnum)?.column ?? '?',
          type: { kind: 'opaque' },
        }),
      };
    });
  } catch (error) {
    if (error instanceof NotABlock || error instanceof NotExpressible) return error.reason;
    throw error;
  }
}

type Contents = Map<string, Map<string, Readonly<Record<string, PgText>>>>;

async function contents(): Promise<Contents> {
  const all: Contents = new Map();
  for (const name of Object.keys(TABLES)) {
    const { rows } = await client.query<Record<string, PgText>>(`SELECT * FROM ${name}`);
    const key = KEYS[name] ?? ['id'];
    all.set(name, new Map(rows.map((row) => [JSON.stringify(key.map((column) => row[column])), row])));
  }
  return all;
}

/** What a test's follower knows of a query. */
class Followed {
  readonly engine: FlowEngine;
  readonly plan: BlockPlan;
  readonly binding: readonly PgText[];
  readonly #tables: ReadonlyMap<number, { readonly name: string; readonly columns: readonly string[] }>;

  constructor(planned: BlockPlan, params: readonly PgText[], names: ReadonlyMap<number, string>) {
    this.plan = planned;
    this.engine = new FlowEngine(planned.block, FUNCTIONS);
    this.binding = planned.params.map((one) =>
      one.kind === 'param' ? (params[one.index] ?? null) : one.value,
    );
    this.#tables = tablesOf(planned.block, names);
  }

  /** @returns false when only Postgres can tell */
  load(now: Contents): boolean {
    const member = this.engine.add(this.binding);
    for (let needs = this.engine.needs(); needs.length > 0; needs = this.engine.needs())
      for (const need of needs) this.engine.fill(need, this.#fetch(need, now));
    return this.engine.start(member);
  }

  apply(before: Contents, after: Contents): void {
    const events = new Map<number, RowEvent[]>();
    for (const [oid, { name, columns }] of this.#tables) {
      const [old, next] = [before.get(name) ?? new Map(), after.get(name) ?? new Map()];
      const list: RowEvent[] = [];
      for (const key of new Set([...old.keys(), ...next.keys()])) {
        const row = next.get(key);
        if (JSON.stringify(old.get(key)) === JSON.stringify(row)) continue;
        list.push({
          oldKey: old.has(key) ? key : null,
          newKey: row === undefined ? null : key,
          values: row === undefined ? [] : columns.map((column) => row[column] ?? null),
        });
      }
      if (list.length > 0) events.set(oid, list);
    }
    this.engine.apply(events);
  }

  rows(): string[] {
    const shown = this.engine.member(this.binding)?.shown() ?? [];
    return shown.map(({ values }) => JSON.stringify(values.slice(0, this.plan.visible)));
  }

  #fetch(need: Need, now: Contents): Map<string, Row[]> {
    const { input } = need.engine.block.inputs[need.input] ?? {};
    if (input?.of.kind !== 'table') throw new Error('only tables are fetched');
    const { name, columns } = this.#tables.get(input.of.table) ?? { name: '', columns: [] };
    const all = [...(now.get(name) ?? [])].map(([key, row]) => ({
      key,
      values: columns.map((column) => row[column] ?? null),
    }));
    const { pairs } = input.demand;
    return new Map(
      [...need.keys].map(([key, given]) => [
        key,
        all.filter(({ values }) =>
          pairs.every(({ column }, at) => values[column] !== null && values[column] === given[at]),
        ),
      ]),
    );
  }
}

function tablesOf(
  block: Block,
  names: ReadonlyMap<number, string>,
): Map<number, { name: string; columns: readonly string[] }> {
  const tables = new Map<number, { name: string; columns: readonly string[] }>();
  for (const { of } of block.inputs) {
    if (of.kind === 'block') for (const [oid, one] of tablesOf(of.block, names)) tables.set(oid, one);
    else
      tables.set(of.table, { name: names.get(of.table) ?? '', columns: of.columns.map(({ name }) => name) });
  }
  return tables;
}

let seed = 7;
const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
const some = (below: number): string => (random(8) === 0 ? 'NULL' : String(1 + random(below)));

function write(): string {
  const id = 1 + random(8);
  const put = (table: string, values: string, key = 'id'): string => {
    const columns = TABLES[table] ?? [];
    const set = columns.map((column) => `${column} = excluded.${column}`).join(', ');
    return `INSERT INTO ${table} VALUES (${values}) ON CONFLICT (${key}) DO UPDATE SET ${set}`;
  };
  const text = (): string => `'${['a', 'ab', 'b', 'É', ''][random(5)]}'`;
  switch (random(12)) {
    case 0:
      return put('users', `${1 + random(4)}, ${text()}, ${random(2) === 0}, ${some(4)}`);
    case 1:
      return put('projects', `${1 + random(3)}, ${some(2)}, ${text()}`);
    case 2:
      return put('teams', `${1 + random(2)}, ${text()}`);
    case 3:
      return put('members', `${1 + random(3)}, ${1 + random(2)}, ${text()}`, 'user_id, team_id');
    case 4:
    case 5:
      return put('comments', `${id}, ${some(8)}, ${some(4)}, ${text()}`);
    case 6:
      return put('labels', `${id}, ${text()}`, 'issue_id, label');
    case 7:
      return `DELETE FROM ${['issues', 'comments', 'users', 'projects'][random(4)]} WHERE id = ${id}`;
    default: {
      const status = ['open', 'started', 'done'][random(3)];
      return put(
        'issues',
        `${id}, ${some(3)}, ${text()}, '${status}', ${some(4)}, ${some(4)}, '2024-01-0${1 + random(5)}'`,
      );
    }
  }
}

test('queries of an application are blocks, and stay equal to Postgres', async () => {
  const { rows: classes } = await client.query<{ oid: string; relname: string }>(
    'SELECT oid, relname FROM pg_class',
  );
  const names = new Map(classes.map(({ oid, relname }) => [Number(oid), relname]));
  for (let turn = 0; turn < 60; turn++) await client.query(write());
  let before = await contents();
  const followed: { sql: string; params: readonly PgText[]; one: Followed }[] = [];
  const reasons: Record<string, string> = {};
  for (const [sql, params = []] of QUERIES) {
    const planned = await plan(
      sql,
      params.map(() => 'int'),
    );
    if (typeof planned === 'string') reasons[sql] = planned;
    else followed.push({ sql, params, one: new Followed(planned, params, names) });
  }
  expect(reasons).toEqual({});
  for (const { sql, one } of followed) expect([sql, one.load(before)]).toEqual([sql, true]);
  let changed = 0;
  for (let turn = 0; turn < 60; turn++) {
    await client.query('BEGIN');
    for (let count = 1 + random(3); count > 0; count--) await client.query(write());
    await client.query('COMMIT');
    const after = await contents();
    for (const { sql, params, one } of followed) {
      const shown = one.rows().join();
      one.apply(before, after);
      if (one.engine.member(one.binding)?.started !== true) one.load(after);
      const { rows } = await client.query({ text: sql, values: [...params], rowMode: 'array' });
      const truth = rows.map((row) => JSON.stringify(row));
      if (one.plan.block.order.length === 0)
        expect([sql, one.rows().toSorted()]).toEqual([sql, truth.toSorted()]);
      else expect([sql, one.rows()]).toEqual([sql, truth]);
      if (one.rows().join() !== shown) changed++;
    }
    before = after;
  }
  expect(changed).toBeGreaterThan(200);
}, 120_000);
