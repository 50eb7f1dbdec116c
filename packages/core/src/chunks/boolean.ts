import { FUNCTIONS } from '../expression/boolean.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
