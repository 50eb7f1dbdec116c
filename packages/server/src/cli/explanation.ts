import type { Operand, Predicate, TablePlan } from '@sluice/core/plan';
import type { BlockPlan, Gear, Planned, PlanParam } from '../planner/planned.js';
import { rerunSql } from '../planner/rerun-sql.js';
import type { Registry, Table } from '../registry/registry.js';
import { blockTree } from './block-tree.js';

/** What `sluice explain` says of a query: as data, and in words. */
export interface Explanation {
  readonly gear: 'incremental' | 'rerun';
  /** Why it is re-run. */
  readonly reason: string | null;
  readonly template: string;
  readonly parameters: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Tables whose changes may change the answer. */
  readonly reads: readonly string[];
  /** Re-run at every transaction, because something could not be looked into. */
  readonly readsAnything: boolean;
  readonly readsClock: boolean;
  /** The columns that tell rows apart; null: rows are told apart by all of their bytes. */
  readonly key: readonly string[] | null;
  readonly ordered: boolean;
  /** What would help. */
  readonly hints: readonly string[];
  readonly plan:
    | TablePlan
    | (BlockPlan & { readonly tables: Readonly<Record<string, string>> })
    | { readonly sql: string };
}

export function explanationOf(planned: Planned, registry: Registry): Explanation {
  const { gear, shape } = planned;
  const tables = planned.reads.flatMap((oid) => registry.tables.get(oid) ?? []);
  return {
    gear: gear.kind,
    reason: gear.kind === 'rerun' ? gear.reason : null,
    template: planned.template,
    parameters: planned.paramTypes.map(({ name }) => name.replace(/^pg_catalog\./, '')),
    columns: shape.columns.map(({ name, type }) => ({ name, type })),
    reads: tables.map((table) => `${table.schema}.${table.name}`),
    readsAnything: planned.readsAnything,
    readsClock: planned.readsClock,
    key: keyOf(planned),
    ordered: shape.ordered,
    hints: hintsOf(planned, tables),
    plan: planOf(gear, tables),
  };
}

function planOf(gear: Gear, tables: readonly Table[]): Explanation['plan'] {
  if (gear.kind === 'rerun') return { sql: rerunSql(gear.sql) };
  if (gear.plan.kind === 'table') return gear.plan;
  return {
    ...gear.plan,
    tables: Object.fromEntries(tables.map(({ oid, schema, name }) => [String(oid), `${schema}.${name}`])),
  };
}

function keyOf({ gear, keyColumns, shape }: Planned): readonly string[] | null {
  if (gear.kind === 'incremental' && gear.plan.kind === 'table') {
    const { plan } = gear;
    return plan.key.map((column) => columnName(plan, column));
  }
  return keyColumns?.map((column) => shape.columns[column]?.name ?? '?') ?? null;
}

function hintsOf(planned: Planned, tables: readonly Table[]): readonly string[] {
  const hints: string[] = [];
  if (planned.readsClock)
    hints.push("It reads the clock: subscribe with a tick such as '1m', with which time moves.");
  if (planned.readsAnything) {
    hints.push('It is run again at every transaction: something in it cannot be looked into (C22).');
  }
  for (const { schema, name, replicaIdentity, identityColumns } of tables) {
    if (planned.gear.kind === 'incremental' && replicaIdentity !== 'full' && identityColumns === null) {
      hints.push(
        `ALTER TABLE ${schema}.${name} REPLICA IDENTITY FULL would let deleted rows be told apart (C9).`,
      );
    }
  }
  return hints;
}

/** For people: a few facts, then the plan as a tree. */
export function explanationText(explanation: Explanation, params: readonly PlanParam[]): string {
  const { gear, reason, template, parameters, columns, reads, key, ordered, hints, plan } = explanation;
  return [
    `gear        ${gear}`,
    ...(reason === null ? [] : [`reason      ${reason}`]),
    `template    ${template}`,
    `parameters  ${parameters.map((type, index) => `$${index + 1} ${type}`).join(', ') || 'none'}`,
    `columns     ${columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
    `reads       ${reads.join(', ') || 'no table'}`,
    `key         ${key === null ? 'none: rows are told apart by all of their bytes' : key.join(', ') || 'the one row'}`,
    `ordered     ${ordered ? 'yes' : 'no'}`,
    ...hints.map((hint) => `hint        ${hint}`),
    'plan',
    ...indent(planLines(plan, reads[0] ?? '?', params)),
    '',
  ].join('\n');
}

function planLines(plan: Explanation['plan'], table: string, params: readonly PlanParam[]): string[] {
  if ('sql' in plan) return plan.sql.trim().split('\n');
  if (plan.kind === 'table') return treeOf(plan, table, params);
  return [...blockTree(plan.block, (oid) => plan.tables[oid] ?? '?')];
}

function treeOf(plan: TablePlan, table: string, params: readonly PlanParam[]): string[] {
  const value = (operand: Operand): string =>
    'column' in operand ? columnName(plan, operand.column) : paramName(params, operand.param);
  const order = plan.order.map(
    ({ column, descending, nullsFirst }) =>
      `${columnName(plan, column)}${descending ? ' desc' : ''}${nullsFirst === descending ? '' : nullsFirst ? ' nulls first' : ' nulls last'}`,
  );
  const key = plan.key.map((column) => columnName(plan, column));
  const limit = [
    ...(plan.limit === null ? [] : [`limit ${value(plan.limit)}`]),
    ...(plan.offset === null ? [] : [`offset ${value(plan.offset)}`]),
  ];
  const levels = [
    ...(limit.length > 0 ? [limit.join(' ')] : []),
    ...(order.length > 0
      ? [`order by ${[...order, ...key.filter((name) => !order.includes(name))].join(', ')}`]
      : []),
    `project ${plan.project.map((column) => columnName(plan, column)).join(', ')}`,
  ];
  const filter =
    plan.where.op === 'true' ? [] : ['filter', ...indent(predicateTree(plan.where, value, params))];
  return nest(levels, [...filter, `table ${table}`]);
}

function nest(levels: readonly string[], innermost: readonly string[]): string[] {
  const [first, ...rest] = levels;
  return first === undefined ? [...innermost] : [first, ...indent(nest(rest, innermost))];
}

const SIGNS: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  distinct: 'is distinct from',
  not_distinct: 'is not distinct from',
};

function predicateTree(
  predicate: Predicate,
  value: (operand: Operand) => string,
  params: readonly PlanParam[],
): string[] {
  const below = (inner: Predicate): string[] => indent(predicateTree(inner, value, params));
  switch (predicate.op) {
    case 'true':
      return ['true'];
    case 'and':
    case 'or':
      return [predicate.op, ...predicate.args.flatMap(below)];
    case 'not':
      return ['not', ...below(predicate.arg)];
    case 'is': {
      const truth = predicate.value === null ? 'unknown' : String(predicate.value);
      return [`is ${predicate.negated ? 'not ' : ''}${truth}`, ...below(predicate.arg)];
    }
    case 'bool':
      return [value(predicate.arg)];
    case 'is_null':
      return [`${value(predicate.arg)} is null`];
    case 'is_not_null':
      return [`${value(predicate.arg)} is not null`];
    case 'any':
      return [`${value(predicate.left)} = any (${paramName(params, predicate.array)})`];
    case 'all_ne':
      return [`${value(predicate.left)} <> all (${paramName(params, predicate.array)})`];
    default:
      return [`${value(predicate.left)} ${SIGNS[predicate.op]} ${value(predicate.right)}`];
  }
}

/** A constant that was lifted shows as it was written; it is the query's own, and no secret. */
function paramName(params: readonly PlanParam[], index: number): string {
  const param = params[index];
  if (param === undefined) return '?';
  if (param.kind === 'param') return `$${param.index + 1}`;
  return param.value === null ? 'null' : `'${param.value}'`;
}

function columnName(plan: TablePlan, index: number): string {
  return plan.columns[index]?.name ?? '?';
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
