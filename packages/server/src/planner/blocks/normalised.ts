import type { Facts } from '../../analysis/facts.js';
import type { Scalar, Select, Source } from '../../analysis/query-tree.js';
import { decorrelated } from './decorrelated.js';
import { fullJoin } from './full-join.js';
import { withFunctionsInFrom } from './functions-in-select.js';
import { allOf, nested, queryOf, type Nesting } from './nested.js';
import { simplified } from './outer-joins.js';
import { conjuncts, subqueriesIn } from './scalars.js';
import { refusedBy } from './strictness.js';

/**
 * The SELECT in the form that blocks have: relations that are inner joined in any order, and relations that are left
 * joined to these; all else within FROM is subqueries. No subquery depends on rows of more than one relation.
 * @param fresh a number for a relation that no other has
 * @throws NotABlock
 */
export function normalised(select: Select, facts: Facts, fresh: () => number): Select {
  const refused = refusedBy(select.where, facts);
  const whole = withFunctionsInFrom(select, fresh);
  let result: Select = { ...whole, from: whole.from.map((source) => simplified(source, refused, facts)) };
  for (;;) {
    const next = firstOf(result.from, (source) => nestingOf(source, { facts, fresh }));
    if (next === null) break;
    const { join, by, nesting } = next;
    result = nested({ ...result, from: result.from.map((one) => exchanged(one, join, by)) }, nesting);
  }
  return decorrelated(result, facts, fresh);
}

interface Step {
  /** A join, and what stands for it before something in it becomes a subquery. */
  readonly join: Source;
  readonly by: Source;
  readonly nesting: Nesting;
}

function firstOf(sources: readonly Source[], of: (source: Source) => Step | null): Step | null {
  for (const source of sources) {
    const found = of(source);
    if (found !== null) return found;
    if (source.kind === 'relation') continue;
    const within = firstOf([source.left, source.right], of);
    if (within !== null) return within;
  }
  return null;
}

function nestingOf(
  join: Source,
  context: { readonly facts: Facts; readonly fresh: () => number },
): Step | null {
  if (join.kind === 'relation' || join.join === 'inner') return null;
  const id = context.fresh();
  if (join.join === 'full')
    return {
      join,
      by: join,
      nesting: { id, source: join, query: (columns) => fullJoin(join, columns, context) },
    };
  const source = join.join === 'left' ? join.right : join.left;
  const hasSubquery = (one: Scalar): boolean => subqueriesIn([one]).length > 0;
  const inside = conjuncts(join.on).filter(hasSubquery);
  if (source.kind === 'relation' && inside.length === 0) return null;
  const on = allOf(conjuncts(join.on).filter((one) => !hasSubquery(one)));
  return {
    join,
    by: { ...join, on },
    nesting: { id, source, query: (columns) => queryOf([source], allOf(inside), columns) },
  };
}

function exchanged(source: Source, join: Source, by: Source): Source {
  if (source === join) return by;
  if (source.kind === 'relation') return source;
  return { ...source, left: exchanged(source.left, join, by), right: exchanged(source.right, join, by) };
}
