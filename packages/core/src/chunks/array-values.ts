import { must } from '../assert.js';
import { arrayOf } from '../expression/array-build.js';
import { arrayComparator, arrayKey } from '../expression/array-value.js';
import type { Chunk } from './chunk.js';

export const CHUNK: Chunk = {
  types: {
    array: {
      compare: ([element]) => arrayComparator(must(element, 'the type of the elements')),
      key: ([element]) => arrayKey(must(element, 'the type of the elements')),
    },
  },
  builders: { array: arrayOf },
};
