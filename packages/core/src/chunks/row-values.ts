import { printRow, rowComparator, rowKey } from '../expression/row-value.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  types: { row: { compare: rowComparator, key: rowKey } },
  builders: { row: printRow },
};
