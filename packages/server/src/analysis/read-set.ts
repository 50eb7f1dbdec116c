import { analysisError } from './errors.js';
import type { Facts } from './facts.js';
import type { TreeNode } from './node-tree.js';
import type { ArmCast, Query, SetArm, SetOperation, TypeUse } from './query-tree.js';
import type { Place } from './read-scope.js';
import { readKeys } from './read-scalar.js';
import { baseOf } from './value-type.js';
import { choiceOf, flagOf, nodeOf, nodesOf, numberOf, numbersOf, tagOf } from './tree-fields.js';

/** UNION, INTERSECT or EXCEPT: a tree whose leaves are subqueries of the range table. */
export function readSetOperation(
  node: TreeNode,
  place: Place,
  query: (node: TreeNode, place: Place) => Query,
): SetOperation {
  place.scope.reading.count();
  const collations = numbersOf(node, 'colCollations');
  const modifiers = numbersOf(node, 'colTypmods');
  const types = numbersOf(node, 'colTypes').map((oid, at) => ({
    oid,
    modifier: modifiers[at] ?? -1,
    collation: collations[at] ?? 0,
  }));
  const arm = (side: TreeNode): SetArm => readArm(side, place, types, query);
  return {
    kind: choiceOf(node, 'op', [undefined, 'union', 'intersect', 'except'] as const),
    all: flagOf(node, 'all'),
    left: arm(nodeOf(node, 'larg')),
    right: arm(nodeOf(node, 'rarg')),
    types,
    equal: readKeys(nodesOf(node, 'groupClauses')).map(({ equal }) => equal),
  };
}

function readArm(
  side: TreeNode,
  place: Place,
  types: readonly TypeUse[],
  query: (node: TreeNode, place: Place) => Query,
): SetArm {
  const { facts } = place.scope.reading;
  if (tagOf(side) === 'SETOPERATIONSTMT') {
    const operation = readSetOperation(side, place, query);
    return { kind: 'operation', operation, casts: castsOf(operation.types, types, facts) };
  }
  if (tagOf(side) !== 'RANGETBLREF')
    throw analysisError('analysis_unreadable', `${side.tag} in a set operation`);
  const made = query(nodeOf(place.scope.entry(numberOf(side, 'rtindex')), 'subquery'), place);
  return {
    kind: 'query',
    query: made,
    casts: castsOf(
      made.columns.map(({ type }) => type),
      types,
      facts,
    ),
  };
}

/** Postgres leaves these casts to its planner; they are the implicit ones. */
function castsOf(
  from: readonly TypeUse[],
  to: readonly TypeUse[],
  facts: Facts,
): readonly (ArmCast | null)[] {
  return to.map((type, at) => {
    const source = from[at];
    if (source === undefined || source.oid === type.oid) return null;
    const base = baseOf(source.oid, facts)?.oid ?? source.oid;
    if (base === type.oid) return { kind: 'relabel' };
    const cast = facts.casts.get(`${base}:${type.oid}`);
    if (cast === undefined) return { kind: 'unknown' };
    if (cast.method === 'b') return { kind: 'relabel' };
    return cast.method === 'f' ? { kind: 'call', fn: cast.fn } : { kind: 'io' };
  });
}
