import { DistinctFold } from '../flow/distinct-fold.js';
import { RARER_FOLDS } from '../flow/rarer-accumulators.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: {
    folds: RARER_FOLDS,
    distinctFold: (inner, key, plan) => new DistinctFold(inner, key, plan),
  },
};
