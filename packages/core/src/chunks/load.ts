import type { EnginePieces } from '../flow/engine-pieces.js';
import { PLAN_VERSION, type PlanHeader } from '../plan.js';
import { gathered, type Chunk, type ChunkName } from './chunk.js';
import { chunkError } from './errors.js';

/** Each is imported when it is asked for: a bundle splits here. */
const LOADERS: Readonly<Record<ChunkName, () => Promise<Chunk>>> = {
  boolean: async () => ({ functions: (await import('../expression/boolean.js')).BOOLEAN }),
  integer: async () => ({ functions: (await import('../expression/integer.js')).INTEGER }),
  numeric: async () => ({ functions: (await import('../expression/numeric.js')).NUMERIC }),
  float: async () => ({ functions: (await import('../expression/float.js')).FLOAT }),
  text: async () => ({ functions: (await import('../expression/text.js')).TEXT }),
  like: async () => ({ functions: (await import('../expression/like.js')).LIKE }),
  'date-time': async () => (await import('./date-time.js')).DATE_TIME_CHUNK,
  'date-fields': async () => ({ functions: (await import('../expression/date-fields.js')).DATE_FIELDS }),
  'to-char': async () => ({ functions: (await import('../expression/to-char.js')).TO_CHAR }),
  interval: async () => (await import('./interval.js')).INTERVAL_CHUNK,
  bytea: async () => ({ functions: (await import('../expression/bytea.js')).BYTEA }),
  'array-values': async () => (await import('./array-values.js')).ARRAY_VALUES_CHUNK,
  array: async () => ({ functions: (await import('../expression/array.js')).ARRAY }),
  'row-values': async () => (await import('./row-values.js')).ROW_VALUES_CHUNK,
  json: async () => ({ functions: (await import('../expression/json.js')).JSON_FUNCTIONS }),
  'json-build': async () => ({ functions: (await import('../expression/json-build.js')).JSON_BUILD }),
  jsonb: async () => (await import('./jsonb.js')).JSONB_CHUNK,
  'jsonb-build': async () => ({ functions: (await import('../expression/jsonb-build.js')).JSONB_BUILD }),
  range: async () => (await import('./range.js')).RANGE_CHUNK,
  multirange: async () => (await import('./multirange.js')).MULTIRANGE_CHUNK,
  network: async () => (await import('./network.js')).NETWORK_CHUNK,
  'rarer-types': async () => ({ functions: (await import('../expression/rarer-types.js')).RARER_TYPES }),
  aggregates: async () => (await import('./aggregates.js')).AGGREGATES_CHUNK,
  lists: async () => (await import('./lists.js')).LISTS_CHUNK,
  'rarer-lists': async () => (await import('./rarer-lists.js')).RARER_LISTS_CHUNK,
  'distinct-on': async () => (await import('./distinct-on.js')).DISTINCT_ON_CHUNK,
  windows: async () => (await import('./windows.js')).WINDOWS_CHUNK,
  sets: async () => (await import('./sets.js')).SETS_CHUNK,
  'computed-rows': async () => (await import('./computed-rows.js')).COMPUTED_ROWS_CHUNK,
  tally: async () => (await import('./tally.js')).TALLY_CHUNK,
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
