import { SetCounts } from '../flow/set-counts.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: { sets: (operation, types, rules) => new SetCounts(operation, types, rules) },
};
