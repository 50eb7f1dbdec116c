import { rarerListMaker } from '../flow/rarer-lists.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: { rarerLists: rarerListMaker },
};
