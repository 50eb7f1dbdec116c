import { Distinct } from '../flow/distinct.js';
import { DistinctOn } from '../flow/distinct-on.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: {
    distinct: (types, rules) => new Distinct(types, rules),
    distinctOn: (plan, on, rules) => new DistinctOn(plan, on, rules),
  },
};
