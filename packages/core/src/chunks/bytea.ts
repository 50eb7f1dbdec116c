import { FUNCTIONS } from '../expression/bytea.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
