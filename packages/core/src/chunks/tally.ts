import { TallyEngine } from '../flow/tally-engine.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  engines: { tally: (plan, parts, isLeft) => new TallyEngine(plan, parts, isLeft) },
};
