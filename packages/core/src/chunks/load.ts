import type { EnginePieces } from '../flow/engine-pieces.js';
import { PLAN_VERSION, type PlanHeader } from '../plan.js';
import { gathered, type Chunk, type ChunkName } from './chunk.js';
import { chunkError } from './errors.js';

/** Each is imported when it is asked for: a bundle splits here. */
const LOADERS: Readonly<Record<ChunkName, () => Promise<{ readonly CHUNK: Chunk }>>> = {
  boolean: () => import('./boolean.js'),
  integer: () => import('./integer.js'),
  numeric: () => import('./numeric.js'),
  float: () => import('./float.js'),
  text: () => import('./text.js'),
  like: () => import('./like.js'),
  'date-time': () => import('./date-time.js'),
  'date-fields': () => import('./date-fields.js'),
  'to-char': () => import('./to-char.js'),
  interval: () => import('./interval.js'),
  bytea: () => import('./bytea.js'),
  'array-values': () => import('./array-values.js'),
  array: () => import('./array.js'),
  'row-values': () => import('./row-values.js'),
  json: () => import('./json.js'),
  'json-build': () => import('./json-build.js'),
  jsonb: () => import('./jsonb.js'),
  'jsonb-build': () => import('./jsonb-build.js'),
  range: () => import('./range.js'),
  multirange: () => import('./multirange.js'),
  network: () => import('./network.js'),
  'rarer-types': () => import('./rarer-types.js'),
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
  return (await LOADERS[name]()).CHUNK;
}

function isChunk(name: string): name is ChunkName {
  return Object.hasOwn(LOADERS, name);
}
