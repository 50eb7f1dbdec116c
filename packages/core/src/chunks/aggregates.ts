import { RARER_FOLDS } from '../flow/rarer-accumulators.js';
import type { Chunk } from './chunk.js';

export const AGGREGATES_CHUNK: Chunk = {
  operators: { folds: RARER_FOLDS },
};
