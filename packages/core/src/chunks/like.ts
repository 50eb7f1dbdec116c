import { FUNCTIONS } from '../expression/like.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
