import { must } from '../assert.js';
import { MULTIRANGE } from '../expression/multirange.js';
import { multirangeComparator, multirangeKey } from '../expression/multirange-value.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  functions: MULTIRANGE,
  types: {
    multirange: {
      compare: ([bound]) => multirangeComparator(must(bound, 'the type of the bounds')),
      key: ([bound]) => multirangeKey(must(bound, 'the type of the bounds')),
    },
  },
};
