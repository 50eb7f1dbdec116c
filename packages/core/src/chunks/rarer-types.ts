import { FUNCTIONS } from '../expression/rarer-types.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
