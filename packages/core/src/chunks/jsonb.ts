import { compareJsonb, jsonbKey } from '../expression/json-node.js';
import { JSONB } from '../expression/jsonb.js';
import type { Chunk } from './chunk.js';

export const JSONB_CHUNK: Chunk = {
  functions: JSONB,
  types: { jsonb: { compare: () => compareJsonb, key: () => jsonbKey } },
};
