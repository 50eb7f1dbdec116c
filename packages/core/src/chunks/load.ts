import type { Family } from '../expression/registry.js';
import type { EnginePieces } from '../flow/engine-pieces.js';
import { PLAN_VERSION, type PlanHeader } from '../plan.js';
import { gathered, type Chunk, type ChunkName } from './chunk.js';
import { chunkError } from './errors.js';

/** They name what they export alike: a page loads these lines. */
type Part = { readonly CHUNK: Chunk } | { readonly FUNCTIONS: Family };

/** Each is imported when it is asked for: a bundle splits here. */
const LOADERS: Readonly<Record<ChunkName, () => Promise<Part>>> = {
  boolean: () => import('../expression/boolean.js'),
  integer: () => import('../expression/integer.js'),
  numeric: () => import('../expression/numeric.js'),
  float: () => import('../expression/float.js'),
  text: () => import('../expression/text.js'),
  like: () => import('../expression/like.js'),
  'date-time': () => import('./date-time.js'),
  'date-fields': () => import('../expression/date-fields.js'),
  'to-char': () => import('../expression/to-char.js'),
  interval: () => import('./interval.js'),
  bytea: () => import('../expression/bytea.js'),
  'array-values': () => import('./array-values.js'),
  array: () => import('../expression/array.js'),
  'row-values': () => import('./row-values.js'),
  json: () => import('../expression/json.js'),
  'json-build': () => import('../expression/json-build.js'),
  jsonb: () => import('./jsonb.js'),
  'jsonb-build': () => import('../expression/jsonb-build.js'),
  range: () => import('./range.js'),
  multirange: () => import('./multirange.js'),
  network: () => import('./network.js'),
  'rarer-types': () => import('../expression/rarer-types.js'),
  aggregates: () => import('./aggregates.js'),
  lists: () => import('./lists.js'),
  'rarer-lists': () => import('./rarer-lists.js'),
  'distinct-on': () => import('./distinct-on.js'),
  windows: () => import('./windows.js'),
  sets: () => import('./sets.js'),
  'computed-rows': () => import('./computed-rows.js'),
  tally: () => import('./tally.js'),
};

/**
 * What an engine for a plan is made of.
 * @throws `plan_version_unknown`, `chunk_unknown`
 */
export async function loadChunks({ version, chunks }: PlanHeader): Promise<EnginePieces> {
  if (version !== PLAN_VERSION) throw chunkError('plan_version_unknown', String(version));
  return gathered(await Promise.all(chunks.map((name) => load(name))));
}

async function load(name: string): Promise<Chunk> {
  if (!isChunk(name)) throw chunkError('chunk_unknown', name);
  const part = await LOADERS[name]();
  return 'CHUNK' in part ? part.CHUNK : { functions: part.FUNCTIONS };
}

function isChunk(name: string): name is ChunkName {
  return Object.hasOwn(LOADERS, name);
}
