import { FUNCTIONS } from '../expression/numeric.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
