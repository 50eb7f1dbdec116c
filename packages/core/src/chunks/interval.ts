import { compareIntervals, intervalSpan } from '../expression/interval-value.js';
import { INTERVAL } from '../expression/interval.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  functions: INTERVAL,
  types: { interval: { compare: () => compareIntervals, key: () => (value) => String(intervalSpan(value)) } },
};
