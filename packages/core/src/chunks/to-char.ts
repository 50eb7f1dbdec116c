import { FUNCTIONS } from '../expression/to-char.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
