import { FUNCTIONS } from '../expression/json.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
