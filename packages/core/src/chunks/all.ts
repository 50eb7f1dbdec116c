import { FUNCTIONS as BOOLEAN } from '../expression/boolean.js';
import { FUNCTIONS as INTEGER } from '../expression/integer.js';
import { FUNCTIONS as NUMERIC } from '../expression/numeric.js';
import { FUNCTIONS as FLOAT } from '../expression/float.js';
import { FUNCTIONS as TEXT } from '../expression/text.js';
import { FUNCTIONS as LIKE } from '../expression/like.js';
import { CHUNK as DATE_TIME_CHUNK } from './date-time.js';
import { FUNCTIONS as DATE_FIELDS } from '../expression/date-fields.js';
import { FUNCTIONS as TO_CHAR } from '../expression/to-char.js';
import { CHUNK as INTERVAL_CHUNK } from './interval.js';
import { FUNCTIONS as BYTEA } from '../expression/bytea.js';
import { CHUNK as ARRAY_VALUES_CHUNK } from './array-values.js';
import { FUNCTIONS as ARRAY } from '../expression/array.js';
import { CHUNK as ROW_VALUES_CHUNK } from './row-values.js';
import { FUNCTIONS as JSON_FUNCTIONS } from '../expression/json.js';
import { FUNCTIONS as JSON_BUILD } from '../expression/json-build.js';
import { CHUNK as JSONB_CHUNK } from './jsonb.js';
import { FUNCTIONS as JSONB_BUILD } from '../expression/jsonb-build.js';
import { CHUNK as RANGE_CHUNK } from './range.js';
import { CHUNK as MULTIRANGE_CHUNK } from './multirange.js';
import { CHUNK as NETWORK_CHUNK } from './network.js';
import { FUNCTIONS as RARER_TYPES } from '../expression/rarer-types.js';
import { CHUNK as AGGREGATES_CHUNK } from './aggregates.js';
import { CHUNK as LISTS_CHUNK } from './lists.js';
import { CHUNK as RARER_LISTS_CHUNK } from './rarer-lists.js';
import { CHUNK as DISTINCT_ON_CHUNK } from './distinct-on.js';
import { CHUNK as WINDOWS_CHUNK } from './windows.js';
import { CHUNK as SETS_CHUNK } from './sets.js';
import { CHUNK as COMPUTED_ROWS_CHUNK } from './computed-rows.js';
import { CHUNK as TALLY_CHUNK } from './tally.js';
import type { EnginePieces } from '../flow/engine-pieces.js';
import { gathered, type Chunk, type ChunkName } from './chunk.js';

/** All at once, without waiting: for whoever makes plans. */
export const CHUNKS: Readonly<Record<ChunkName, Chunk>> = {
  boolean: { functions: BOOLEAN },
  integer: { functions: INTEGER },
  numeric: { functions: NUMERIC },
  float: { functions: FLOAT },
  text: { functions: TEXT },
  like: { functions: LIKE },
  'date-time': DATE_TIME_CHUNK,
  'date-fields': { functions: DATE_FIELDS },
  'to-char': { functions: TO_CHAR },
  interval: INTERVAL_CHUNK,
  bytea: { functions: BYTEA },
  'array-values': ARRAY_VALUES_CHUNK,
  array: { functions: ARRAY },
  'row-values': ROW_VALUES_CHUNK,
  json: { functions: JSON_FUNCTIONS },
  'json-build': { functions: JSON_BUILD },
  jsonb: JSONB_CHUNK,
  'jsonb-build': { functions: JSONB_BUILD },
  range: RANGE_CHUNK,
  multirange: MULTIRANGE_CHUNK,
  network: NETWORK_CHUNK,
  'rarer-types': { functions: RARER_TYPES },
  aggregates: AGGREGATES_CHUNK,
  lists: LISTS_CHUNK,
  'rarer-lists': RARER_LISTS_CHUNK,
  'distinct-on': DISTINCT_ON_CHUNK,
  windows: WINDOWS_CHUNK,
  sets: SETS_CHUNK,
  'computed-rows': COMPUTED_ROWS_CHUNK,
  tally: TALLY_CHUNK,
};

/** As `loadChunks`, without waiting. */
export function piecesOf(names: readonly ChunkName[]): EnginePieces {
  return gathered(names.map((name) => CHUNKS[name]));
}

/** An engine that can run any plan. */
export const ALL_PIECES: EnginePieces = gathered(Object.values(CHUNKS));
