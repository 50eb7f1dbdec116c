import { FUNCTIONS } from '../expression/date-fields.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = { functions: FUNCTIONS };
