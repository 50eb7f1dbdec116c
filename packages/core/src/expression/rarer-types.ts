import { BITS } from './bits.js';
import { GEOMETRY } from './geometry.js';
import { MAC } from './mac.js';
import { NAME } from './name.js';
import type { Family } from './registry.js';

/** Types that few queries use, in one chunk: what a page has to know of each chunk, it loads with the kernel. */
export const FUNCTIONS: Family = { ...BITS, ...MAC, ...NAME, ...GEOMETRY };
