import {
  PLAN_VERSION,
  type OrderTerm,
  type PlanColumn,
  type Predicate,
  type TablePlan,
  type ValueType,
} from '@sluice/core/plan';
import type { Planned } from '@sluice/server/planner/planned';
import pg from 'pg';
import { bind, type Bound, type JudgeQuery } from './query.js';

/*
 * Plans written by hand, for the ring of the judge that has no planner in it: what fails there is the fault of the
 * source or of the views. Queries without a plan here go to the re-run gear.
 */
interface HandPlan {
  readonly table: string;
  readonly columns: readonly (readonly [string, ValueType])[];
  readonly where: Predicate;
  /** The same for Postgres, over the query's parameters and then the constants. */
  readonly sqlWhere: string;
  readonly project: readonly number[];
  readonly order: readonly OrderTerm[];
  readonly key: readonly number[];
  readonly limit?: number;
  readonly offset?: number;
  readonly constants?: readonly string[];
}

const INT: ValueType = { kind: 'int' };
const NUMERIC: ValueType = { kind: 'numeric' };
const TEXT: ValueType = { kind: 'text', ordered: false };
const C_TEXT: ValueType = { kind: 'text', ordered: true };
const OPAQUE: ValueType = { kind: 'opaque' };
const STATUS: ValueType = { kind: 'enum', labels: ['open', 'in_progress', 'blocked', 'closed'] };

const asc = (column: number): OrderTerm => ({ column, descending: false, nullsFirst: false });
const desc = (column: number): OrderTerm => ({ column, descending: true, nullsFirst: true });
const compare = (
  op: 'eq' | 'ne' | 'gt' | 'ge',
  column: number,
  param: number,
  type: ValueType,
): Predicate => ({ op, left: { column }, right: { param }, type });

const ACCOUNT = [
  ['id', INT],
  ['branch', INT],
  ['balance', NUMERIC],
] as const;

const PLANS: Readonly<Record<string, HandPlan>> = {
  'accounts.low': {
    table: 'account',
    columns: ACCOUNT,
    where: compare('eq', 1, 0, INT),
    sqlWhere: 'branch = $1::int',
    constants: ['0'],
    project: [0, 2],
    order: [],
    key: [0],
  },
  'accounts.high': {
    table: 'account',
    columns: ACCOUNT,
    where: { op: 'not', arg: compare('eq', 1, 0, INT) },
    sqlWhere: 'NOT (branch = $1::int)',
    constants: ['0'],
    project: [0, 2],
    order: [asc(0)],
    key: [0],
  },
  'accounts.richest': {
    table: 'account',
    columns: ACCOUNT,
    where: compare('gt', 2, 0, NUMERIC),
    sqlWhere: 'balance > $1::numeric',
    constants: ['5'],
    project: [0, 2, 1],
    order: [desc(2), asc(0)],
    key: [0],
    limit: 1,
  },
  'issue.board': {
    table: 'issue',
    columns: [
      ['id', INT],
      ['project_id', INT],
      ['title', C_TEXT],
      ['rank', NUMERIC],
    ],
    where: compare('eq', 1, 0, INT),
    sqlWhere: 'project_id = $1::int',
    constants: ['20'],
    project: [0, 2],
    order: [asc(3), asc(0)],
    key: [0],
    limit: 1,
  },
  'issue.page': {
    table: 'issue',
    columns: [
      ['id', INT],
      ['project_id', INT],
      ['title', C_TEXT],
      ['rank', NUMERIC],
      ['status', STATUS],
    ],
    where: compare('eq', 1, 0, INT),
    sqlWhere: 'project_id = $1::int',
    project: [0, 2, 3, 4],
    order: [desc(3), desc(0)],
    key: [0],
    limit: 1,
    offset: 2,
  },
  'issue.wide': {
    table: 'issue',
    columns: [
      ['id', INT],
      ['project_id', INT],
      ['status', STATUS],
      ['body', TEXT],
      ['data', OPAQUE],
      ['tags', OPAQUE],
      ['token', OPAQUE],
    ],
    where: { op: 'and', args: [compare('eq', 1, 0, INT), compare('eq', 2, 1, STATUS)] },
    sqlWhere: 'project_id = $1::int AND status = $2::issue_status',
    constants: ['blocked'],
    project: [0, 3, 4, 5, 6],
    order: [],
    key: [0],
  },
  'keyed.org': {
    table: 'keyed',
    columns: [
      ['org', INT],
      ['code', C_TEXT],
      ['n', INT],
      ['payload', TEXT],
    ],
    where: compare('eq', 0, 0, INT),
    sqlWhere: 'org = $1::int',
    project: [1, 2, 3],
    order: [asc(1)],
    key: [0, 1],
  },
  'event.high': {
    table: 'event',
    columns: [
      ['id', INT],
      ['region', TEXT],
      ['n', INT],
    ],
    where: compare('ge', 2, 0, INT),
    sqlWhere: 'n >= $1::int',
    constants: ['8'],
    project: [0, 1],
    order: [],
    key: [0, 1],
  },
  'by_index.some': {
    table: 'by_index',
    columns: [
      ['code', TEXT],
      ['id', INT],
      ['n', INT],
      ['big', TEXT],
    ],
    where: compare('gt', 2, 0, INT),
    sqlWhere: 'n > $1::int',
    project: [0, 1, 2, 3],
    order: [],
    key: [0],
  },
  'full.kind': {
    table: 'full_row',
    columns: [
      ['id', INT],
      ['kind', INT],
      ['n', INT],
      ['s', TEXT],
      ['big', TEXT],
    ],
    where: compare('eq', 1, 0, INT),
    sqlWhere: 'kind = $1::int',
    constants: ['10'],
    project: [0, 2, 3, 4],
    order: [desc(2), asc(0)],
    key: [0],
    limit: 1,
  },
};

export interface HandPlanned extends Planned {
  readonly hand: HandPlan | null;
  readonly query: JudgeQuery;
}

/** Plans every query of a corpus against a database that has its tables. */
export class HandPlanner {
  readonly #client: pg.Client;
  readonly #queries: ReadonlyMap<string, JudgeQuery>;
  readonly #held = new Map<string, Promise<HandPlanned>>();

  constructor(client: pg.Client, queries: readonly JudgeQuery[]) {
    this.#client = client;
    this.#queries = new Map(queries.map((query) => [query.sql, query]));
  }

  plan(sql: string): Promise<HandPlanned> {
    const held = this.#held.get(sql) ?? this.#make(sql);
    this.#held.set(sql, held);
    return held;
  }

  async #make(sql: string): Promise<HandPlanned> {
    const query = this.#queries.get(sql);
    if (!query) throw new Error(`no such query: ${sql}`);
    const hand = PLANS[query.id] ?? null;
    const reads: number[] = [];
    for (const table of query.reads) reads.push(await this.#oid(table));
    const { columns, types } = await this.#describe(bind(query, []));
    return {
      template: query.id,
      shape: {
        columns: columns.map((name) => ({ name, type: 'text', decoder: 'text' })),
        ordered: query.ordered,
      },
      paramTypes: types.map((name) => ({ oid: 0, name })),
      reads,
      readsAnything: false,
      views: [],
      userCode: false,
      keyColumns: null,
      readsClock: false,
      concern: null,
      gear: hand
        ? { kind: 'incremental', plan: await this.#tablePlan(hand), params: [], fallback: null }
        : { kind: 'rerun', sql: { pieces: [sql], refs: [], lateral: true }, reason: 'by hand' },
      hand,
      query,
    };
  }

  async #tablePlan(hand: HandPlan): Promise<TablePlan> {
    return {
      kind: 'table',
      version: PLAN_VERSION,
      chunks: [],
      table: await this.#oid(hand.table),
      columns: hand.columns.map(([name, type]): PlanColumn => ({ name, type })),
      where: hand.where,
      project: hand.project,
      order: [...hand.order, ...hand.key.filter((key) => !hand.order.some((o) => o.column === key)).map(asc)],
      key: hand.key,
      limit: hand.limit === undefined ? null : { param: hand.limit },
      offset: hand.offset === undefined ? null : { param: hand.offset },
    };
  }

  async #oid(table: string): Promise<number> {
    const { rows } = await this.#client.query<{ oid: string }>('SELECT $1::regclass::oid AS oid', [table]);
    return Number(rows[0]?.oid);
  }

  async #describe({
    query,
  }: Bound): Promise<{ readonly columns: readonly string[]; readonly types: readonly string[] }> {
    await this.#client.query(`PREPARE described AS SELECT * FROM (${query.sql}) q LIMIT 0`);
    const { rows } = await this.#client.query<{ types: string[] }>(
      `SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'described'`,
    );
    const types = rows[0]?.types ?? [];
    const result = await this.#client.query(
      `EXECUTE described ${types.length ? `(${types.map(() => 'NULL').join(',')})` : ''}`,
    );
    await this.#client.query('DEALLOCATE described');
    return { columns: result.fields.map(({ name }) => name), types };
  }
}

/** Hydration of one binding of a hand plan, at most `count` rows in the plan's order. */
export function hydrationSql({ hand }: HandPlanned, plan: TablePlan, count: number): string {
  if (!hand) throw new Error('assertion failed: not planned by hand');
  const order = plan.order.map(({ column, descending, nullsFirst }) => {
    const name = hand.columns[column]?.[0];
    return `${name} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
  });
  return `SELECT ${hand.columns.map(([name]) => name).join(', ')} FROM ${hand.table} WHERE ${hand.sqlWhere}
          ORDER BY ${order.join(', ')} LIMIT ${Number.isFinite(count) ? count : 'ALL'}`;
}
