import { ARRAY } from './array.js';
import { BOOLEAN } from './boolean.js';
import { DATE_FIELDS } from './date-fields.js';
import { DATE_TIME } from './date-time.js';
import { FLOAT } from './float.js';
import { INTEGER } from './integer.js';
import { INTERVAL } from './interval.js';
import { JSON_BUILD } from './json-build.js';
import { JSON_FUNCTIONS } from './json.js';
import { JSONB } from './jsonb.js';
import { NETWORK } from './network.js';
import { NUMERIC } from './numeric.js';
import { RANGE } from './range.js';
import type { FamilyName } from './load.js';
import type { Family } from './registry.js';
import { BYTEA, ENUM, UUID } from './small-types.js';
import { TEXT } from './text.js';
import { TO_CHAR } from './to-char.js';

/** Every family by its name, which a plan may tell a client to load. For the server; a browser loads what it needs. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  boolean: BOOLEAN,
  integer: INTEGER,
  numeric: NUMERIC,
  float: FLOAT,
  text: TEXT,
  'date-time': DATE_TIME,
  'date-fields': DATE_FIELDS,
  'to-char': TO_CHAR,
  interval: INTERVAL,
  uuid: UUID,
  bytea: BYTEA,
  enum: ENUM,
  array: ARRAY,
  json: JSON_FUNCTIONS,
  'json-build': JSON_BUILD,
  jsonb: JSONB,
  range: RANGE,
  network: NETWORK,
};

/** Every function that is reproduced. */
export const FUNCTIONS: Family = Object.assign({}, ...Object.values(FAMILIES));

/** The family that a function lives in; null for one that is not reproduced. */
export function familyOf(fn: string): FamilyName | null {
  for (const [name, family] of Object.entries(FAMILIES)) {
    if (Object.hasOwn(family, fn)) return name as FamilyName;
  }
  return null;
}
