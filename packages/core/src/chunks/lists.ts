import { listedAggregate } from '../flow/listed-aggregate.js';
import type { Chunk } from './chunk.js';

export const LISTS_CHUNK: Chunk = {
  operators: { lists: listedAggregate },
};
