import type { Operand, Predicate, TablePlan } from '@sluice/core/plan';
import { indent, nest } from './lines.js';

/** A plan of one table as lines of a tree. */
export function tableTree(
  plan: TablePlan,
  table: string,
  param: (index: number) => string,
): readonly string[] {
  const value = (operand: Operand): string =>
    'column' in operand ? columnName(plan, operand.column) : param(operand.param);
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
    plan.where.op === 'true' ? [] : ['filter', ...indent(predicateTree(plan.where, value, param))];
  return nest(levels, [...filter, `table ${table}`]);
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
  param: (index: number) => string,
): string[] {
  const below = (inner: Predicate): string[] => indent(predicateTree(inner, value, param));
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
      return [`${value(predicate.left)} = any (${param(predicate.array)})`];
    case 'all_ne':
      return [`${value(predicate.left)} <> all (${param(predicate.array)})`];
    default:
      return [`${value(predicate.left)} ${SIGNS[predicate.op]} ${value(predicate.right)}`];
  }
}

function columnName(plan: TablePlan, index: number): string {
  return plan.columns[index]?.name ?? '?';
}
