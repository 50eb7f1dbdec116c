import { isOrdered } from '@sluice/core/expression/ordered';
import type { ValueType } from '@sluice/core/plan';
import { NotExpressible } from './expression-reasons.js';
import type { Facts } from './facts.js';
import type { Key, Scalar, SortKey } from './query-tree.js';
import { valueTypeOf } from './value-type.js';

/** Oids from here on belong to users; below are Postgres's own. (Postgres source, `FirstNormalObjectId`) */
export const FIRST_USER_OID = 16384;

/**
 * The type that the values of a sort key are ordered in.
 * @throws NotExpressible where the engine does not order as Postgres does: another collation (C16), another operator
 * than the type's own (`~<~`, or of the application).
 */
export function sortTypeOf(key: SortKey, expression: Scalar, facts: Facts): ValueType {
  checkOperator(key.operator, ['<', '>'], facts);
  return orderedType(expression.type.oid, expression.type.collation, facts);
}

/**
 * The type that the values of a key are told apart in.
 * @throws NotExpressible as above; the collation may be any that is deterministic.
 */
export function keyTypeOf(key: Key, expression: Scalar, facts: Facts): ValueType {
  checkOperator(key.equal, ['='], facts);
  checkDeterministic(expression.type.collation, facts);
  const type = valueTypeOf(expression.type.oid, expression.type.collation, facts);
  if (type.kind === 'opaque' || type.kind === 'json') throw new NotExpressible('order_type');
  return type;
}

/** @throws NotExpressible when values of the type are ordered otherwise than by the engine. */
export function orderedType(oid: number, collation: number, facts: Facts): ValueType {
  checkDeterministic(collation, facts);
  const type = valueTypeOf(oid, collation, facts);
  let inner = type;
  while ('element' in inner) inner = inner.element;
  if ('ordered' in inner && !inner.ordered) {
    if (facts.collations.get(collation)?.ordersByBytes !== true) throw new NotExpressible('collation');
    return type;
  }
  if (!isOrdered(type)) throw new NotExpressible('order_type');
  return type;
}

/** @throws NotExpressible when texts of different bytes may be equal. */
export function checkDeterministic(collation: number, facts: Facts): void {
  if (facts.collations.get(collation)?.deterministic === false)
    throw new NotExpressible('collation_nondeterministic');
}

function checkOperator(oid: number, names: readonly string[], facts: Facts): void {
  const operator = facts.operators.get(oid);
  if (operator === undefined || oid >= FIRST_USER_OID || !names.includes(operator.name))
    throw new NotExpressible('operator', operator?.name ?? null);
}
