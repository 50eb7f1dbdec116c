import { listedAggregate } from '../flow/listed-aggregate.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: { lists: listedAggregate },
};
