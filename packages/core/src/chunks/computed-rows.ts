import { compileRows } from '../flow/computed-rows.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: { rows: compileRows },
};
