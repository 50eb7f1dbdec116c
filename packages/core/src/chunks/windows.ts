import { WindowStage } from '../flow/window-stage.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  operators: { windows: (plan, params, compile) => new WindowStage(plan, params, compile) },
};
