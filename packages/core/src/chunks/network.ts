import { addressKey, compareAddresses } from '../expression/address-value.js';
import { NETWORK } from '../expression/network.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  functions: NETWORK,
  types: { inet: { compare: () => compareAddresses, key: () => addressKey } },
};
