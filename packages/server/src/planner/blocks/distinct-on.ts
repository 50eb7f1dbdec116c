import type { Block } from '@sluice/core/flow/plan';
import { keyTypeOf } from '../../analysis/comparing.js';
import type { Facts } from '../../analysis/facts.js';
import type { Query, Select, Target } from '../../analysis/query-tree.js';
import { NotABlock } from './reasons.js';

/** The output columns by which DISTINCT ON tells rows apart. Without more order than that any row may be the first. */
export function distinctOn(
  query: Query,
  { distinct }: Select,
  targets: readonly Target[],
  facts: Facts,
): Pick<Block, 'distinctOn'> {
  if (distinct?.on !== true) return {};
  const isKey = ({ ref }: Target): boolean => distinct.keys.some((key) => key.ref === ref);
  if (query.order.length <= distinct.keys.length && !targets.every(isKey)) throw new NotABlock('distinct_on');
  return {
    distinctOn: distinct.keys.map((key) => {
      const column = targets.findIndex(({ ref }) => ref === key.ref);
      const target = targets[column];
      if (target === undefined) throw new Error('assertion failed: keys of DISTINCT ON are targets');
      keyTypeOf(key, target.expression, facts);
      return column;
    }),
  };
}
