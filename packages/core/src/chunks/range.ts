import { must } from '../assert.js';
import { rangeComparator, rangeKey } from '../expression/range-value.js';
import { RANGE } from '../expression/range.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  functions: RANGE,
  types: {
    range: {
      compare: ([bound]) => rangeComparator(must(bound, 'the type of the bounds')),
      key: ([bound]) => rangeKey(must(bound, 'the type of the bounds')),
    },
  },
};
