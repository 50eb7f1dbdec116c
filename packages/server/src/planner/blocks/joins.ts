import type { Relation, Scalar, Select, Source } from '../../analysis/query-tree.js';
import { NotABlock } from './reasons.js';
import { conjuncts } from './scalars.js';

/** FROM, with what its joins say taken apart. */
export interface Joins {
  /** Inner joined, in any order. */
  readonly inner: readonly Relation[];
  /** Left joined to what comes before, in this order. */
  readonly left: readonly { readonly relation: Relation; readonly on: readonly Scalar[] }[];
  /** Conditions of the inner joins: they may as well stand in WHERE. */
  readonly conditions: readonly Scalar[];
}

/** @throws NotABlock */
export function joinsOf(select: Select): Joins {
  if (select.from.length === 0) throw new NotABlock('from_nothing');
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
    case 'full':
      throw new NotABlock('full_join');
    default:
      throw new NotABlock('from_unknown');
  }
}

/** The rows of the left side are all there before it, so what filters them may as well do so after it. */
function leftJoin(left: Source, right: Source, on: Scalar | null): Joins {
  const before = flatten(left);
  if (right.kind !== 'relation') throw new NotABlock('nested_outer_join');
  return { ...before, left: [...before.left, { relation: right.relation, on: conjuncts(on) }] };
}

function merged(parts: readonly Joins[]): Joins {
  return {
    inner: parts.flatMap(({ inner }) => inner),
    left: parts.flatMap(({ left }) => left),
    conditions: parts.flatMap(({ conditions }) => conditions),
  };
}
