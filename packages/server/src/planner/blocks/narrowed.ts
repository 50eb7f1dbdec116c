import type { ArmCast, Query, Scalar, Select, SetArm, TypeUse } from '../../analysis/query-tree.js';
import { conjuncts, exchange } from './scalars.js';
import { commonKeys } from './windows.js';

/** Which column of the query a part of a condition is, from 1; null: something else. */
export type ColumnOf = (part: Scalar) => number | null;

/**
 * The query with a condition on its columns put inside, so that no more is computed than is asked for; null where it
 * would change what else the query answers.
 */
export function narrowed(query: Query, condition: Scalar, columnOf: ColumnOf): Query | null {
  if (query.limit !== null || query.offset !== null || query.with.length > 0) return null;
  const { body } = query;
  if (body.kind === 'select') {
    const select = narrowedSelect(body, condition, columnOf);
    return select === null ? null : { ...query, body: select };
  }
  const left = narrowedArm(body.left, body.types, condition, columnOf);
  const right = narrowedArm(body.right, body.types, condition, columnOf);
  return left === null || right === null ? null : { ...query, body: { ...body, left, right } };
}

/** The query with one more condition. */
export function withCondition(select: Select, condition: Scalar): Select {
  const args = [...conjuncts(select.where), condition];
  return { ...select, where: args.length === 1 ? condition : { kind: 'and', args, type: condition.type } };
}

/** A value of an arm as the operation has it. */
export function castOf(cast: ArmCast | null, arg: Scalar, type: TypeUse): Scalar | null {
  switch (cast?.kind) {
    case undefined:
      return arg;
    case 'call':
      return {
        kind: 'call',
        fn: cast.fn,
        operator: 0,
        args: [arg],
        collation: type.collation,
        form: 'implicit cast',
        variadic: false,
        returnsSet: false,
        type,
      };
    case 'relabel':
      return { kind: 'relabel', arg, implicit: true, type };
    case 'io':
      return { kind: 'io cast', arg, type };
    default:
      return null;
  }
}

function narrowedArm(
  arm: SetArm,
  types: readonly TypeUse[],
  condition: Scalar,
  columnOf: ColumnOf,
): SetArm | null {
  const own = arm.kind === 'query' ? arm.query.columns.map(({ type }) => type) : arm.operation.types;
  const inside = exchangeColumns(condition, columnOf, (column, part) => {
    const [from, to] = [own[column - 1], types[column - 1]];
    return from && to ? castOf(arm.casts[column - 1] ?? null, { ...part, type: from }, to) : null;
  });
  if (inside === null) return null;
  if (arm.kind === 'query') {
    const query = narrowed(arm.query, inside, columnOf);
    return query === null ? null : { ...arm, query };
  }
  const { operation } = arm;
  const left = narrowedArm(operation.left, operation.types, inside, columnOf);
  const right = narrowedArm(operation.right, operation.types, inside, columnOf);
  return left === null || right === null ? null : { ...arm, operation: { ...operation, left, right } };
}

function narrowedSelect(select: Select, condition: Scalar, columnOf: ColumnOf): Select | null {
  if (select.grouping?.several === true) return null;
  const common = commonKeys(select);
  if (common !== null && !isOfWholeKeys(condition, columnOf)) return null;
  const inside = exchangeColumns(condition, columnOf, (column) => outputOf(select, column, common));
  return inside === null ? null : withCondition(select, inside);
}

function exchangeColumns(
  condition: Scalar,
  columnOf: ColumnOf,
  by: (column: number, part: Scalar) => Scalar | null,
): Scalar | null {
  let isWhole = true;
  const inside = exchange(condition, (part) => {
    const column = columnOf(part);
    if (column === null) return undefined;
    const other = by(column, part);
    if (other === null) isWhole = false;
    return other ?? part;
  });
  return isWhole ? inside : null;
}

/** Whether it says the same of all values that are equal: it is an operator of the type of a column as it is. */
function isOfWholeKeys(condition: Scalar, columnOf: ColumnOf): boolean {
  const isBare = (part: Scalar): boolean =>
    columnOf(part) !== null || (part.kind === 'relabel' && isBare(part.arg));
  return condition.kind === 'call' && condition.form === 'operator' && condition.args.some(isBare);
}

/**
 * What a visible column of a query is, before grouping; null when a condition on it does not go below the grouping.
 * @param common the keys of all partitions, where there are any
 */
function outputOf(select: Select, column: number, common: ReadonlySet<number> | null): Scalar | null {
  const target = select.targets.filter(({ junk }) => !junk)[column - 1];
  if (common !== null && (target === undefined || target.ref === 0 || !common.has(target.ref))) return null;
  if (target === undefined || returnsSet(target.expression)) return null;
  const { grouping } = select;
  if (grouping === null) return target.expression;
  return grouping.keys.some(({ ref }) => ref !== 0 && ref === target.ref) ? target.expression : null;
}

function returnsSet(scalar: Scalar): boolean {
  let found = false;
  exchange(scalar, (part) => {
    if (part.kind === 'call' && part.returnsSet) found = true;
    return undefined;
  });
  return found;
}
