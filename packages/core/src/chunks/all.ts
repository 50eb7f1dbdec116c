import { BOOLEAN } from '../expression/boolean.js';
import { INTEGER } from '../expression/integer.js';
import { NUMERIC } from '../expression/numeric.js';
import { FLOAT } from '../expression/float.js';
import { TEXT } from '../expression/text.js';
import { LIKE } from '../expression/like.js';
import { DATE_TIME_CHUNK } from './date-time.js';
import { DATE_FIELDS } from '../expression/date-fields.js';
import { TO_CHAR } from '../expression/to-char.js';
import { INTERVAL_CHUNK } from './interval.js';
import { BYTEA } from '../expression/bytea.js';
import { ARRAY_VALUES_CHUNK } from './array-values.js';
import { ARRAY } from '../expression/array.js';
import { ROW_VALUES_CHUNK } from './row-values.js';
import { JSON_FUNCTIONS } from '../expression/json.js';
import { JSON_BUILD } from '../expression/json-build.js';
import { JSONB_CHUNK } from './jsonb.js';
import { JSONB_BUILD } from '../expression/jsonb-build.js';
import { RANGE_CHUNK } from './range.js';
import { MULTIRANGE_CHUNK } from './multirange.js';
import { NETWORK_CHUNK } from './network.js';
import { RARER_TYPES } from '../expression/rarer-types.js';
import { AGGREGATES_CHUNK } from './aggregates.js';
import { LISTS_CHUNK } from './lists.js';
import { RARER_LISTS_CHUNK } from './rarer-lists.js';
import { DISTINCT_ON_CHUNK } from './distinct-on.js';
import { WINDOWS_CHUNK } from './windows.js';
import { SETS_CHUNK } from './sets.js';
import { COMPUTED_ROWS_CHUNK } from './computed-rows.js';
import { TALLY_CHUNK } from './tally.js';
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
