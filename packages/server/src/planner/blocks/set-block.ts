import type { Expression } from '@sluice/core/expression';
import type { Block, SetOperation as Operation } from '@sluice/core/flow/plan';
import { must } from '@sluice/core/assert';
import { keyTypeOf, sortTypeOf } from '../../analysis/comparing.js';
import type { Query, Scalar, SetArm, SetOperation, TypeUse } from '../../analysis/query-tree.js';
import { toExpression } from '../../analysis/to-expression.js';
import { valueTypeOf } from '../../analysis/value-type.js';
import type { Level } from './level.js';
import { castOf } from './narrowed.js';
import { bare } from './nested.js';
import { toldApart } from './told-apart.js';
import { addSubquery, type Planning } from './planning.js';
import { NotABlock } from './reasons.js';

/** What a block has of a set operation; LIMIT and OFFSET are above it. */
export type SetBlock = Omit<Block, 'limit' | 'offset'>;

/**
 * UNION, INTERSECT and EXCEPT: each arm is a subquery, and an input of the block.
 * @throws NotABlock, NotExpressible
 */
export function setBlock(query: Query, body: SetOperation, level: Level, planning: Planning): SetBlock {
  const { facts } = planning;
  const arms: (readonly Expression[])[] = [];
  const operation = operationOf(body, { level, planning, arms });
  const order = query.order.map((key) => {
    sortTypeOf(key, standIn(must(body.types[key.ref - 1], 'type')), facts);
    return { column: key.ref - 1, descending: key.descending, nullsFirst: key.nullsFirst };
  });
  return {
    inputs: level.finish().inputs,
    where: [],
    group: null,
    sets: { arms, operation },
    project: body.types.map((_, at) => ({ op: 'column', column: 1 + at })),
    distinct: false,
    order,
    types: body.types.map(({ oid, collation }) => valueTypeOf(oid, collation, facts)),
  };
}

interface Place {
  readonly level: Level;
  readonly planning: Planning;
  /** By input: its columns as the operation has them. */
  readonly arms: (readonly Expression[])[];
}

function operationOf(operation: SetOperation, place: Place): Operation {
  const { facts } = place.planning;
  const { kind, all, types, equal } = operation;
  if (kind !== 'union' || !all)
    for (const [at, type] of types.entries()) {
      keyTypeOf({ ref: 0, equal: equal[at] ?? 0 }, standIn(type), facts);
      toldApart(standIn(type), facts);
    }
  const left = armOf(operation.left, types, place);
  return { op: kind, all, left, right: armOf(operation.right, types, place) };
}

/** An operation of other types is a subquery of its own: it tells rows apart before they are cast. */
function armOf(arm: SetArm, types: readonly TypeUse[], place: Place): Operation {
  if (arm.kind === 'operation' && arm.casts.every((cast) => cast === null))
    return operationOf(arm.operation, place);
  const query = arm.kind === 'query' ? arm.query : { ...bare(arm.operation.types), body: arm.operation };
  const { level, planning, arms } = place;
  const input = addSubquery(planning, query, 'inner', { level, relation: null });
  arms[input] = types.map((type, column) => {
    const value = standIn(must(query.columns[column], 'column').type);
    const cast = castOf(arm.casts[column] ?? null, value, type);
    if (cast === null) throw new NotABlock('set_cast');
    return toExpression(cast, {
      facts: planning.facts,
      lifted: level.numbers,
      atHand: (part) => (part === value ? { op: 'column', column } : undefined),
    });
  });
  return { input };
}

/** A value of which only the type is known. */
function standIn(type: TypeUse): Scalar {
  return { kind: 'undecoded', type };
}
