import type { Facts } from '../../analysis/facts.js';
import type { Scalar } from '../../analysis/query-tree.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import { NotABlock } from './reasons.js';

/** Equal values must be printed the same: which of them Postgres shows is anybody's guess. */
export function assertOneText({ type }: Scalar, facts: Facts): void {
  const { kind } = valueTypeOf(type.oid, type.collation, facts);
  const same = ['bool', 'int', 'uuid', 'bytea', 'date', 'timestamp', 'timestamptz', 'text', 'enum'];
  if (!same.includes(kind)) throw new NotABlock('key_text');
  if (facts.collations.get(type.collation)?.deterministic === false) throw new NotABlock('key_text');
}
