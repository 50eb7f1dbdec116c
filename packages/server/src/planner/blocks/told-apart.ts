import type { ValueType } from '@sluice/core/plan';
import { checkDeterministic } from '../../analysis/comparing.js';
import type { Facts } from '../../analysis/facts.js';
import type { Scalar } from '../../analysis/query-tree.js';
import { typeOfScalar } from '../../analysis/value-type.js';
import { NotABlock } from './reasons.js';

/**
 * The type that values are told apart in: equal ones are one to the engine. Where they print differently it leaves to
 * Postgres which of them is shown.
 * @throws NotABlock, NotExpressible
 */
export function toldApart(scalar: Scalar, facts: Facts): ValueType {
  const { collation } = scalar.type;
  const type = typeOfScalar(scalar, collation, facts);
  if (!isToldApart(type)) throw new NotABlock('key_text');
  checkDeterministic(collation, facts);
  return type;
}

function isToldApart(type: ValueType): boolean {
  if ('element' in type) return isToldApart(type.element);
  if (type.kind === 'row') return type.fields.every((field) => isToldApart(field.type));
  return type.kind !== 'opaque' && type.kind !== 'json';
}
