import { compareAscii } from '../engine/compare-text.js';
import { comparisons, strict, type Family } from './registry.js';

/** `\x` and two digits for each byte. */
export const FUNCTIONS: Family = {
  ...comparisons('bytea', compareAscii),
  ...strict('bytea', {
    byteacat: (a, b) => a + b.slice(2),
    bytea_substr_no_len: (text, start) => `\\x${text.slice(2).slice((Math.max(Number(start), 1) - 1) * 2)}`,
  }),
  ...strict('int4', { byteaoctetlen: (text) => String((text.length - 2) / 2) }),
};
