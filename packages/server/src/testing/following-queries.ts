import { fail } from 'node:assert/strict';
import { piecesOf } from '@sluice/core/chunks/all';
import { withFunctions } from '@sluice/core/chunks/chunk';
import { chunksOfBlock } from '@sluice/core/chunks/chunks-of';
import type { RowEvent } from '@sluice/core/engine/table-engine';
import type { Need } from '@sluice/core/flow/maintained';
import { MergingEngine } from '@sluice/core/flow/merging-engine';
import type { Block } from '@sluice/core/flow/plan';
import type { Row } from '@sluice/core/flow/row';
import { collationsOf, TextOrders } from '@sluice/core/flow/text-orders';
import type { PgText } from '@sluice/core/value';
import pg from 'pg';
import { analyse } from '../analysis/analyse.js';
import { NotExpressible } from '../analysis/expression-reasons.js';
import { NotABlock } from '../planner/blocks/reasons.js';
import { placeTexts } from '../planner/blocks/order-sql.js';
import type { PlannedTable } from '../planner/blocks/planning.js';
import { toBlock, type BlockPlan } from '../planner/blocks/to-block.js';
import { OUTPUT_SETTINGS } from '../source/database.js';
import type { Run } from '../source/source.js';
import type { TestDatabase } from './postgres.js';
import { sharedDatabase } from './shared.js';

/*
 * From the text of a query to its rows, through random writes: what the engine holds is what Postgres answers. The
 * tables are read whole, and the stream is played by comparing them with what they were.
 */

const TABLES: Readonly<Record<string, readonly string[]>> = {
  users: ['id', 'name', 'active', 'boss_id'],
  teams: ['id', 'name'],
  members: ['user_id', 'team_id', 'role'],
  projects: ['id', 'team_id', 'name'],
  issues: ['id', 'project_id', 'title', 'status', 'priority', 'assignee_id', 'at'],
  comments: ['id', 'issue_id', 'user_id', 'body'],
  labels: ['issue_id', 'label'],
  amounts: ['id', 'issue_id', 'small', 'big', 'exact', 'price', 'ratio', 'data', 'tags', 'span', 'bytes'],
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
  CREATE TABLE amounts (id int PRIMARY KEY, issue_id int, small int2, big int8, exact numeric, price numeric(10, 2), ratio float8,
    data jsonb, tags text[], span interval, bytes bytea);
  CREATE VIEW open_issues AS SELECT i.*, p.name AS project FROM issues i JOIN projects p ON p.id = i.project_id WHERE i.status <> 'done';`;

/**
 * The text of a query, its parameters, and their types: int where none are given. `left`: what only Postgres can tell
 * may be left to it.
 */
export type FollowedQuery = readonly [string, (readonly PgText[])?, (readonly string[])?, 'left'?];

export interface FollowingOptions {
  /** What CREATE DATABASE says of the locale; then texts are ordered by it everywhere. Default: "C". */
  readonly locale?: string;
  /** What is written as texts. */
  readonly texts?: readonly string[];
}

const TEXTS = ['a', 'ab', 'b', 'É', ''];
const TEXTS_MAX = 10_000;

/** A database of an application, and queries that are followed through random writes to it. */
export class QueryFollower {
  readonly #database: TestDatabase;
  readonly #pool: pg.Pool;
  readonly #client: pg.Client;
  readonly #texts: readonly string[];
  #seed = 7;

  private constructor(database: TestDatabase, client: pg.Client, texts: readonly string[]) {
    this.#database = database;
    this.#texts = texts;
    this.#pool = new pg.Pool({ connectionString: database.url, max: 1 });
    this.#client = client;
  }

  static async start({ locale, texts = TEXTS }: FollowingOptions = {}): Promise<QueryFollower> {
    const database =
      locale === undefined
        ? await sharedDatabase(SETUP)
        : await sharedDatabase(SETUP.replaceAll(' COLLATE "C"', ''), `TEMPLATE template0 ${locale}`);
    const client = new pg.Client({
      connectionString: database.adminUrl,
      types: { getTypeParser: () => String },
    });
    await client.connect();
    for (const [name, value] of Object.entries(OUTPUT_SETTINGS))
      await client.query(`SET ${name} = '${value}'`);
    return new QueryFollower(database, client, texts);
  }

  async stop(): Promise<void> {
    await this.#client.end();
    await this.#pool.end();
    await this.#database.drop();
  }

  /** Whether a query is a tree of blocks, or why not. */
  async plan([sql, params = [], types = params.map(() => 'int')]: FollowedQuery): Promise<
    BlockPlan | string
  > {
    const analysis = await analyse(this.#pool, { sql, paramTypes: [...types], schemas: ['public'] });
    if (analysis.kind !== 'analysed') return analysis.reason;
    const { rows } = await this.#client.query<{
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
      const tableOf = (oid: number): PlannedTable => {
        const own = rows.filter((row) => Number(row.oid) === oid);
        const key = KEYS[own[0]?.name ?? ''] ?? ['id'];
        return {
          key: own.filter(({ column }) => key.includes(column)).map(({ attnum }) => Number(attnum)),
          column: (attnum) => ({
            name: own.find((row) => Number(row.attnum) === attnum)?.column ?? '?',
            type: { kind: 'opaque' },
          }),
        };
      };
      return toBlock(analysis.query, analysis.facts, tableOf, { textOrders: true });
    } catch (error) {
      if (error instanceof NotABlock || error instanceof NotExpressible) return error.reason;
      throw error;
    }
  }

  /**
   * Compares at every turn what is held with what Postgres answers; where Postgres raises an error nothing may be held.
   * @param mayBeUntold nothing may be held elsewhere too
   * @returns how often an answer changed, and did without being read anew, how often nothing was held of one, how often
   * one had to be read anew, and why queries are no blocks
   * @throws AssertionError where they differ
   */
  async follow(
    queries: readonly FollowedQuery[],
    turns: number,
    { mayBeUntold = false }: { readonly mayBeUntold?: boolean } = {},
  ): Promise<{
    readonly changed: number;
    readonly told: number;
    readonly untold: number;
    readonly missed: number;
    readonly reasons: Readonly<Record<string, string>>;
  }> {
    const { rows: classes } = await this.#client.query<{ oid: string; relname: string }>(
      'SELECT oid, relname FROM pg_class',
    );
    const names = new Map(classes.map(({ oid, relname }) => [Number(oid), relname]));
    for (let turn = 0; turn < 60; turn++) await this.#client.query(this.#write());
    const hasAmounts = queries.some(([sql]) => sql.includes('amounts'));
    for (let turn = 0; hasAmounts && turn < 8; turn++) await this.#client.query(this.#writeAmount());
    let before = await this.#contents();
    const followed: { query: FollowedQuery; one: Followed }[] = [];
    const reasons: Record<string, string> = {};
    for (const query of queries) {
      const planned = await this.plan(query);
      if (typeof planned === 'string') reasons[query[0]] = planned;
      else followed.push({ query, one: new Followed(planned, query[1] ?? [], names) });
    }
    for (const { query, one } of followed) {
      await one.load(before, this.#run);
      await this.#compare(query, one, mayBeUntold);
    }
    let [changed, told, untold, missed] = [0, 0, 0, 0];
    for (let turn = 0; turn < turns; turn++) {
      await this.#client.query('BEGIN');
      for (let count = 1 + this.#random(3); count > 0; count--) await this.#client.query(this.#write());
      if (hasAmounts) await this.#client.query(this.#writeAmount());
      await this.#client.query('COMMIT');
      const after = await this.#contents();
      for (const { query, one } of followed) {
        const shown = one.rows()?.join();
        one.apply(before, after);
        const isMissed = one.rows() === null;
        if (isMissed) {
          missed++;
          await one.load(after, this.#run);
        }
        await this.#compare(query, one, mayBeUntold);
        if (one.rows() === null) untold++;
        else if (one.rows()?.join() !== shown) {
          changed++;
          if (!isMissed) told++;
        }
      }
      before = after;
    }
    return { changed, told, untold, missed, reasons };
  }

  async #compare(
    [sql, params = [], , left]: FollowedQuery,
    one: Followed,
    mayBeUntold: boolean,
  ): Promise<void> {
    const held = one.rows();
    if (held === null && (mayBeUntold || left !== undefined)) return;
    let truth: string[] | null;
    try {
      const { rows } = await this.#client.query({ text: sql, values: [...params], rowMode: 'array' });
      truth = rows.map((row) => JSON.stringify(row));
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      truth = null;
    }
    const isOrdered = one.plan.block.order.length > 0;
    // Of values whose order is open it is compared what they are made of.
    const row = (of: string): string => (one.plan.open.length > 0 ? [...of].toSorted().join('') : of);
    const text = (rows: readonly string[] | null): string =>
      rows === null ? 'an error' : (isOrdered ? rows.map(row) : rows.map(row).toSorted()).join();
    if (text(held) !== text(truth)) fail(`${sql}: held ${text(held)}, truth ${text(truth)}`);
  }

  readonly #run: Run = async (text, values = []) => {
    const { rows } = await this.#client.query<PgText[]>({ text, values: [...values], rowMode: 'array' });
    return { fields: [], rows };
  };

  async #contents(): Promise<Contents> {
    const all: Contents = new Map();
    for (const name of Object.keys(TABLES)) {
      const { rows } = await this.#client.query<Record<string, PgText>>(`SELECT * FROM ${name}`);
      const key = KEYS[name] ?? ['id'];
      all.set(name, new Map(rows.map((row) => [JSON.stringify(key.map((column) => row[column])), row])));
    }
    return all;
  }

  #random(below: number): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return this.#seed % below;
  }

  /** To a table that only some queries read. */
  #writeAmount(): string {
    const random = (below: number): number => this.#random(below);
    const id = 1 + random(8);
    if (random(6) === 0) return `DELETE FROM amounts WHERE id = ${id}`;
    return upsert('amounts', [id, 1 + random(3), ...amount(random)].join(', '));
  }

  #write(): string {
    const random = (below: number): number => this.#random(below);
    const some = (below: number): string => (random(8) === 0 ? 'NULL' : String(1 + random(below)));
    const id = 1 + random(8);

    const text = (): string => `'${this.#texts[random(this.#texts.length)] ?? ''}'`;
    switch (random(12)) {
      case 0:
        return upsert('users', `${1 + random(4)}, ${text()}, ${random(2) === 0}, ${some(4)}`);
      case 1:
        return upsert('projects', `${1 + random(3)}, ${some(2)}, ${text()}`);
      case 2:
        return upsert('teams', `${1 + random(2)}, ${text()}`);
      case 3:
        return upsert('members', `${1 + random(3)}, ${1 + random(2)}, ${text()}`, 'user_id, team_id');
      case 4:
      case 5:
        return upsert('comments', `${id}, ${some(8)}, ${some(4)}, ${text()}`);
      case 6:
        return upsert('labels', `${id}, ${text()}`, 'issue_id, label');
      case 7:
        return `DELETE FROM ${['issues', 'comments', 'users', 'projects'][random(4)]} WHERE id = ${id}`;
      default: {
        const status = ['open', 'started', 'done'][random(3)];
        return upsert(
          'issues',
          `${id}, ${some(3)}, ${text()}, '${status}', ${some(4)}, ${some(4)}, '2024-01-0${1 + random(5)}'`,
        );
      }
    }
  }
}

function upsert(table: string, values: string, key = 'id'): string {
  const columns = TABLES[table] ?? [];
  const set = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  return `INSERT INTO ${table} VALUES (${values}) ON CONFLICT (${key}) DO UPDATE SET ${set}`;
}

/** Values of the columns of `amounts`, few of each, so that groups have several and equal ones print differently. */
function amount(random: (below: number) => number): string[] {
  const one = (...texts: readonly string[]): string => texts[random(texts.length)] ?? 'NULL';
  return [
    one('1', '-2', '32767', 'NULL'),
    one('7', '-9223372036854775808', '9223372036854775807', 'NULL'),
    one('1.0', '1.00', '-0.333', "'NaN'", '12345678901234567890.5', 'NULL'),
    one('1.00', '2.50', '-3.10', 'NULL'),
    one('0.1', '0.2', '1e300', '-1e300', 'NULL'),
    one(`'{"b": 1, "a": [1.50, "x\\n"]}'`, `'"é"'`, "'null'", 'NULL'),
    one(`'{a,"b c",NULL}'`, "'{}'", `'{"q\\"uote"}'`, 'NULL'),
    one("'1 day'", "'24:00:00'", "'1 mon'", 'NULL'),
    one("'\\x00ff'", "'\\x'", 'NULL'),
  ];
}

type Contents = Map<string, Map<string, Readonly<Record<string, PgText>>>>;

/** What a test's follower knows of a query. */
class Followed {
  readonly engine: MergingEngine;
  readonly plan: BlockPlan;
  readonly binding: readonly PgText[];
  readonly #orders: TextOrders;
  readonly #tables: ReadonlyMap<number, { readonly name: string; readonly columns: readonly string[] }>;

  constructor(planned: BlockPlan, params: readonly PgText[], names: ReadonlyMap<number, string>) {
    this.plan = planned;
    this.#orders = new TextOrders(collationsOf(planned.block), { textsMax: TEXTS_MAX });
    const pieces = piecesOf(chunksOfBlock(planned.block));
    this.engine = new MergingEngine(planned.block, withFunctions(pieces, this.#orders.functions));
    this.binding = planned.params.map((one) =>
      one.kind === 'param' ? (params[one.index] ?? null) : one.value,
    );
    this.#tables = tablesOf(planned.block, names);
  }

  /** @returns false when only Postgres can tell */
  async load(now: Contents, run: Run): Promise<boolean> {
    const member = this.engine.add(this.binding);
    for (let any = true; any;) {
      const needs = this.engine.needs();
      for (const need of needs) this.engine.fill(need, this.#fetch(need, now));
      any = (await placeTexts(run, this.#orders)) || needs.length > 0;
    }
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

  /** null when what is held is no answer. */
  rows(): string[] | null {
    const member = this.engine.member(this.binding);
    if (member?.started !== true) return null;
    return member.shown().map(({ values }) => JSON.stringify(values.slice(0, this.plan.visible)));
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
