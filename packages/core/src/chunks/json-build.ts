import { FUNCTIONS } from '../expression/json-build.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
