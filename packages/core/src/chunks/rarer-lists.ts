import { rarerListMaker } from '../flow/rarer-lists.js';
import type { Chunk } from './chunk.js';

export const RARER_LISTS_CHUNK: Chunk = {
  operators: { rarerLists: rarerListMaker },
};
