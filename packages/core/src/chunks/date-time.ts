import { DATE_TIME } from '../expression/date-time.js';
import { compareZonedTimes } from '../expression/time-value.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  functions: DATE_TIME,
  types: { timetz: { compare: () => compareZonedTimes, key: () => (value) => value } },
};
