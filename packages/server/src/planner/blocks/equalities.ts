import type { ValueType } from '@sluice/core/plan';
import type { Facts } from '../../analysis/facts.js';
import type { Scalar } from '../../analysis/query-tree.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import { columnOf, relationsIn } from './scalars.js';

/** `column = other`, in a type whose equal values are looked up by one key. */
export interface Equality {
  readonly condition: Scalar;
  readonly relation: number;
  readonly column: number;
  readonly other: Scalar;
  readonly type: ValueType;
}

const EQUALITIES =
  /^(int[248]eq|int(24|28|42|48|82|84)eq|numeric_eq|texteq|uuid_eq|booleq|date_eq|timestamp_eq|timestamptz_eq|enum_eq|byteaeq|oideq)$/;

/** Whether a function is an equality whose equal values are looked up by one key. */
export function isKeyed(fn: number, facts: Facts): boolean {
  const fact = facts.functions.get(fn);
  return fact?.language === 'internal' && EQUALITIES.test(fact.source);
}

/** An equality, seen from either side. */
export function equalitiesOf(condition: Scalar, facts: Facts): readonly Equality[] {
  if (condition.kind !== 'call' || condition.args.length !== 2) return [];
  if (!isKeyed(condition.fn, facts)) return [];
  if (facts.collations.get(condition.collation)?.deterministic === false) return [];
  const [left, right] = condition.args;
  if (left === undefined || right === undefined) return [];
  // Of several collations: an error of Postgres, which is not a way to find rows.
  if (condition.collation === 0 && (left.type.collation !== 0 || right.type.collation !== 0)) return [];
  return [[left, right] as const, [right, left] as const].flatMap(([own, other]) => {
    const column = columnOf(own);
    if (column === null || relationsIn(other).has(column.relation)) return [];
    const type = valueTypeOf(own.type.oid, condition.collation, facts);
    return [{ condition, relation: column.relation, column: column.column, other, type }];
  });
}
