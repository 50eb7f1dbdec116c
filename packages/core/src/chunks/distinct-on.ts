import { DistinctOn } from '../flow/distinct-on.js';
import type { Chunk } from './chunk.js';

export const DISTINCT_ON_CHUNK: Chunk = {
  operators: { distinctOn: (plan, on, rules) => new DistinctOn(plan, on, rules) },
};
