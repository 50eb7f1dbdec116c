import type { Facts } from '../../analysis/facts.js';
import type { Scalar } from '../../analysis/query-tree.js';
import { conjuncts } from './scalars.js';

/** Relations by number. */
export type Relations = ReadonlySet<number>;

/** The relations of which a row of NULLs alone makes the condition false or unknown. */
export function refusedBy(condition: Scalar | null, facts: Facts): Relations {
  return union(conjuncts(condition).map((one) => notTrue(one, facts)));
}

function notTrue(scalar: Scalar, facts: Facts): Relations {
  switch (scalar.kind) {
    case 'and':
      return union(scalar.args.map((arg) => notTrue(arg, facts)));
    case 'or':
      return common(scalar.args.map((arg) => notTrue(arg, facts)));
    case 'not':
      return unknown(scalar.arg.kind === 'is null' ? scalar.arg.arg : scalar.arg, facts);
    case 'is not null':
      return scalar.ofRow ? NONE : unknown(scalar.arg, facts);
    case 'is':
      if (scalar.negated) return scalar.value === null ? unknown(scalar.arg, facts) : NONE;
      if (scalar.value === null) return NONE;
      return scalar.value ? notTrue(scalar.arg, facts) : unknown(scalar.arg, facts);
    case 'any':
      return isStrict(scalar.fn, facts) ? unknown(scalar.left, facts) : NONE;
    case 'any of':
      // Columns of the subquery are no relations of ours.
      return unknown(scalar.test, facts);
    default:
      return unknown(scalar, facts);
  }
}

/** The relations of which a row of NULLs alone makes the value NULL, or a set without rows. */
export function unknown(scalar: Scalar, facts: Facts): Relations {
  switch (scalar.kind) {
    case 'column':
      return scalar.column > 0 ? new Set([scalar.relation]) : NONE;
    case 'call':
      return isStrict(scalar.fn, facts) && !scalar.variadic
        ? union(scalar.args.map((arg) => unknown(arg, facts)))
        : NONE;
    case 'relabel':
    case 'collate':
    case 'io cast':
    case 'not':
      return unknown(scalar.arg, facts);
    case 'and':
    case 'or':
    case 'coalesce':
      return common(scalar.args.map((arg) => unknown(arg, facts)));
    case 'compare rows': {
      const [left, right] = [scalar.left[0], scalar.right[0]];
      return union([left, right].flatMap((one) => (one === undefined ? [] : [unknown(one, facts)])));
    }
    default:
      return NONE;
  }
}

const NONE: Relations = new Set();

function isStrict(fn: number, facts: Facts): boolean {
  return facts.functions.get(fn)?.strict === true;
}

function union(sets: readonly Relations[]): Relations {
  return new Set(sets.flatMap((set) => [...set]));
}

function common(sets: readonly Relations[]): Relations {
  const [first, ...others] = sets;
  return new Set([...(first ?? [])].filter((one) => others.every((set) => set.has(one))));
}
