import type { Relation, Scalar, Select, Source } from '../../analysis/query-tree.js';
import { conjuncts } from './scalars.js';

/** FROM, with what its joins say taken apart. */
export interface Joins {
  /** Inner joined, in any order. */
  readonly inner: readonly Relation[];
  /** Left joined to what comes before, in this order. */
  readonly left: readonly LeftJoin[];
  /** Conditions of the inner joins: they may as well stand in WHERE. */
  readonly conditions: readonly Scalar[];
}

export interface LeftJoin {
  readonly relation: Relation;
  readonly on: readonly Scalar[];
}

/** Of a SELECT whose FROM is normalised. */
export function joinsOf(select: Select): Joins {
  return merged(select.from.map(flatten));
}

function flatten(source: Source): Joins {
  if (source.kind === 'relation') return { inner: [source.relation], left: [], conditions: [] };
  switch (source.join) {
    case 'inner': {
      const both = merged([flatten(source.left), flatten(source.right)]);
      return { ...both, conditions: [...both.conditions, ...conjuncts(source.on)] };
    }
    case 'left':
      return leftJoin(source.left, source.right, source.on);
    case 'right':
      return leftJoin(source.right, source.left, source.on);
    default:
      throw new Error('assertion failed: a FULL JOIN is a subquery');
  }
}

/** The rows of the left side are all there before it, so what filters them may as well do so after it. */
function leftJoin(left: Source, right: Source, on: Scalar | null): Joins {
  const before = flatten(left);
  if (right.kind !== 'relation') throw new Error('assertion failed: a join within a left join is a subquery');
  return { ...before, left: [...before.left, { relation: right.relation, on: conjuncts(on) }] };
}

function merged(parts: readonly Joins[]): Joins {
  return {
    inner: parts.flatMap(({ inner }) => inner),
    left: parts.flatMap(({ left }) => left),
    conditions: parts.flatMap(({ conditions }) => conditions),
  };
}
