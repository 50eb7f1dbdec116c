import { FUNCTIONS } from '../expression/jsonb-build.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
