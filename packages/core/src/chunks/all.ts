import { CHUNK as BOOLEAN } from './boolean.js';
import { CHUNK as INTEGER } from './integer.js';
import { CHUNK as NUMERIC } from './numeric.js';
import { CHUNK as FLOAT } from './float.js';
import { CHUNK as TEXT } from './text.js';
import { CHUNK as LIKE } from './like.js';
import { CHUNK as DATE_TIME } from './date-time.js';
import { CHUNK as DATE_FIELDS } from './date-fields.js';
import { CHUNK as TO_CHAR } from './to-char.js';
import { CHUNK as INTERVAL } from './interval.js';
import { CHUNK as BYTEA } from './bytea.js';
import { CHUNK as ARRAY_VALUES } from './array-values.js';
import { CHUNK as ARRAY } from './array.js';
import { CHUNK as ROW_VALUES } from './row-values.js';
import { CHUNK as JSON } from './json.js';
import { CHUNK as JSON_BUILD } from './json-build.js';
import { CHUNK as JSONB } from './jsonb.js';
import { CHUNK as JSONB_BUILD } from './jsonb-build.js';
import { CHUNK as RANGE } from './range.js';
import { CHUNK as MULTIRANGE } from './multirange.js';
import { CHUNK as NETWORK } from './network.js';
import { CHUNK as RARER_TYPES } from './rarer-types.js';
import { CHUNK as AGGREGATES } from './aggregates.js';
import { CHUNK as LISTS } from './lists.js';
import { CHUNK as RARER_LISTS } from './rarer-lists.js';
import { CHUNK as DISTINCT_ON } from './distinct-on.js';
import { CHUNK as WINDOWS } from './windows.js';
import { CHUNK as SETS } from './sets.js';
import { CHUNK as COMPUTED_ROWS } from './computed-rows.js';
import { CHUNK as TALLY } from './tally.js';
import type { EnginePieces } from '../flow/engine-pieces.js';
import { gathered, type Chunk, type ChunkName } from './chunk.js';

/** All at once, without waiting: for whoever makes plans. */
export const CHUNKS: Readonly<Record<ChunkName, Chunk>> = {
  boolean: BOOLEAN,
  integer: INTEGER,
  numeric: NUMERIC,
  float: FLOAT,
  text: TEXT,
  like: LIKE,
  'date-time': DATE_TIME,
  'date-fields': DATE_FIELDS,
  'to-char': TO_CHAR,
  interval: INTERVAL,
  bytea: BYTEA,
  'array-values': ARRAY_VALUES,
  array: ARRAY,
  'row-values': ROW_VALUES,
  json: JSON,
  'json-build': JSON_BUILD,
  jsonb: JSONB,
  'jsonb-build': JSONB_BUILD,
  range: RANGE,
  multirange: MULTIRANGE,
  network: NETWORK,
  'rarer-types': RARER_TYPES,
  aggregates: AGGREGATES,
  lists: LISTS,
  'rarer-lists': RARER_LISTS,
  'distinct-on': DISTINCT_ON,
  windows: WINDOWS,
  sets: SETS,
  'computed-rows': COMPUTED_ROWS,
  tally: TALLY,
};

/** As `loadChunks`, without waiting. */
export function piecesOf(names: readonly ChunkName[]): EnginePieces {
  return gathered(names.map((name) => CHUNKS[name]));
}

/** An engine that can run any plan. */
export const ALL_PIECES: EnginePieces = gathered(Object.values(CHUNKS));
