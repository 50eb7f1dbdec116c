import { compileRows } from '../flow/computed-rows.js';
import type { Chunk } from './chunk.js';

export const COMPUTED_ROWS_CHUNK: Chunk = {
  operators: { rows: compileRows },
};
