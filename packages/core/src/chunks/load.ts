import type { EnginePieces } from '../flow/engine-pieces.js';
import { PLAN_VERSION, type PlanHeader } from '../plan.js';
import { gathered, type Chunk, type ChunkName } from './chunk.js';
import { chunkError } from './errors.js';

/** Each is imported when it is asked for: a bundle splits here. They name what they export alike, for that is written here. */
const LOADERS: Readonly<Record<ChunkName, () => Promise<Chunk>>> = {
  boolean: async () => ({ functions: (await import('../expression/boolean.js')).FUNCTIONS }),
  integer: async () => ({ functions: (await import('../expression/integer.js')).FUNCTIONS }),
  numeric: async () => ({ functions: (await import('../expression/numeric.js')).FUNCTIONS }),
  float: async () => ({ functions: (await import('../expression/float.js')).FUNCTIONS }),
  text: async () => ({ functions: (await import('../expression/text.js')).FUNCTIONS }),
  like: async () => ({ functions: (await import('../expression/like.js')).FUNCTIONS }),
  'date-time': async () => (await import('./date-time.js')).CHUNK,
  'date-fields': async () => ({ functions: (await import('../expression/date-fields.js')).FUNCTIONS }),
  'to-char': async () => ({ functions: (await import('../expression/to-char.js')).FUNCTIONS }),
  interval: async () => (await import('./interval.js')).CHUNK,
  bytea: async () => ({ functions: (await import('../expression/bytea.js')).FUNCTIONS }),
  'array-values': async () => (await import('./array-values.js')).CHUNK,
  array: async () => ({ functions: (await import('../expression/array.js')).FUNCTIONS }),
  'row-values': async () => (await import('./row-values.js')).CHUNK,
  json: async () => ({ functions: (await import('../expression/json.js')).FUNCTIONS }),
  'json-build': async () => ({ functions: (await import('../expression/json-build.js')).FUNCTIONS }),
  jsonb: async () => (await import('./jsonb.js')).CHUNK,
  'jsonb-build': async () => ({ functions: (await import('../expression/jsonb-build.js')).FUNCTIONS }),
  range: async () => (await import('./range.js')).CHUNK,
  multirange: async () => (await import('./multirange.js')).CHUNK,
  network: async () => (await import('./network.js')).CHUNK,
  'rarer-types': async () => ({ functions: (await import('../expression/rarer-types.js')).FUNCTIONS }),
  aggregates: async () => (await import('./aggregates.js')).CHUNK,
  lists: async () => (await import('./lists.js')).CHUNK,
  'rarer-lists': async () => (await import('./rarer-lists.js')).CHUNK,
  'distinct-on': async () => (await import('./distinct-on.js')).CHUNK,
  windows: async () => (await import('./windows.js')).CHUNK,
  sets: async () => (await import('./sets.js')).CHUNK,
  'computed-rows': async () => (await import('./computed-rows.js')).CHUNK,
  tally: async () => (await import('./tally.js')).CHUNK,
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
  return LOADERS[name]();
}

function isChunk(name: string): name is ChunkName {
  return Object.hasOwn(LOADERS, name);
}
