import { COMPARISON } from '../expression/comparison.js';
import type { Builders } from '../expression/compile.js';
import type { TypeRules } from '../engine/compare.js';
import type { Family } from '../expression/registry.js';
import { ENUM, UUID } from '../expression/small-types.js';
import type { Compile } from '../flow/compile.js';
import type { EnginePieces, Engines } from '../flow/engine-pieces.js';
import type { Operators } from '../flow/operators.js';

/*
 * An engine is a kernel and chunks.
 *
 *   kernel   joins, groups, counts, orders, windows of one table; AND, OR, CASE and their kind; comparisons of
 *            integers, texts by bytes, dates, timestamps, uuids and enums
 *   chunks   everything else, by theme: functions, how values of a type are compared, operators
 *
 * A plan names the chunks that it needs, and whoever runs it loads these and no others: a page a few kilobytes, the
 * server what its plans ask for. So an engine that lacks something was made for a plan that does not name it, which
 * every test of a query would show.
 */

/** Words of the protocol: they are added to, and stay. A plan has them in this order. */
export const CHUNK_NAMES = [
  'boolean',
  'integer',
  'numeric',
  'float',
  'text',
  'like',
  'date-time',
  'date-fields',
  'to-char',
  'interval',
  'bytea',
  'array-values',
  'array',
  'row-values',
  'json',
  'json-build',
  'jsonb',
  'jsonb-build',
  'range',
  'multirange',
  'network',
  'rarer-types',
  'aggregates',
  'lists',
  'rarer-lists',
  'distinct-on',
  'windows',
  'sets',
  'computed-rows',
  'tally',
] as const;

export type ChunkName = (typeof CHUNK_NAMES)[number];

/** What a chunk brings. */
export interface Chunk {
  readonly functions?: Family;
  readonly types?: TypeRules;
  readonly builders?: Builders;
  readonly operators?: Operators<Compile>;
  readonly engines?: Engines;
}

/** The functions that are always there, by families. */
export const KERNEL_FAMILIES: Readonly<Record<'comparison' | 'uuid' | 'enum', Family>> = {
  comparison: COMPARISON,
  uuid: UUID,
  enum: ENUM,
};

/** The kernel's own, and what the chunks bring. */
export function gathered(chunks: readonly Chunk[]): EnginePieces {
  return {
    functions: Object.assign(
      {},
      ...Object.values(KERNEL_FAMILIES),
      ...chunks.map((chunk) => chunk.functions),
    ),
    types: Object.assign({}, ...chunks.map((chunk) => chunk.types)),
    builders: Object.assign({}, ...chunks.map((chunk) => chunk.builders)),
    operators: Object.assign({}, ...chunks.map((chunk) => chunk.operators)),
    engines: Object.assign({}, ...chunks.map((chunk) => chunk.engines)),
  };
}

/** The same, with functions that whoever runs the plan brings along. */
export function withFunctions(pieces: EnginePieces, functions: Family): EnginePieces {
  return { ...pieces, functions: { ...pieces.functions, ...functions } };
}
