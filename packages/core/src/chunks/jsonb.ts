import { compareJsonb, jsonbKey } from '../expression/json-node.js';
import { JSONB } from '../expression/jsonb.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  functions: JSONB,
  types: { jsonb: { compare: () => compareJsonb, key: () => jsonbKey } },
};
