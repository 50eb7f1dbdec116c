import type { Facts } from '../../analysis/facts.js';
import type { Source } from '../../analysis/query-tree.js';
import { refusedBy, type Relations } from './strictness.js';

/**
 * Outer joins that a condition above makes inner ones, since it refuses the rows that they fill up with NULLs: an
 * inner join may be hung either way, and what changes in it concerns one row alone.
 * @param refused the relations of which what is above refuses a row of NULLs
 */
export function simplified(source: Source, refused: Relations, facts: Facts): Source {
  if (source.kind === 'relation') return source;
  const { left, right, on } = source;
  const join = joinOf(source, refused);
  const inside = new Set([...refused, ...refusedBy(on, facts)]);
  // Of the side that may be filled up, what is above says nothing of the rows that are there; ON does.
  const ofFilled = refusedBy(on, facts);
  const nothing: Relations = new Set();
  switch (join) {
    case 'inner':
      return {
        ...source,
        join,
        left: simplified(left, inside, facts),
        right: simplified(right, inside, facts),
      };
    case 'left':
      return {
        ...source,
        join,
        left: simplified(left, refused, facts),
        right: simplified(right, ofFilled, facts),
      };
    case 'right':
      return {
        ...source,
        join,
        left: simplified(left, ofFilled, facts),
        right: simplified(right, refused, facts),
      };
    default:
      return { ...source, left: simplified(left, nothing, facts), right: simplified(right, nothing, facts) };
  }
}

function joinOf(
  { join, left, right }: Source & { readonly kind: 'join' },
  refused: Relations,
): 'inner' | 'left' | 'right' | 'full' {
  const hasLeft = [...relationsOf(left)].some((one) => refused.has(one));
  const hasRight = [...relationsOf(right)].some((one) => refused.has(one));
  const keepsLeft = (join === 'left' || join === 'full') && !hasRight;
  const keepsRight = (join === 'right' || join === 'full') && !hasLeft;
  return keepsLeft ? (keepsRight ? 'full' : 'left') : keepsRight ? 'right' : 'inner';
}

/** The relations that stand in a part of FROM. */
export function relationsOf(source: Source): Relations {
  if (source.kind === 'relation') return new Set([source.relation.id]);
  return new Set([...relationsOf(source.left), ...relationsOf(source.right)]);
}
