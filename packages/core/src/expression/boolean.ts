import { compareAscii } from '../engine/compare-text.js';
import { INVALID_TEXT, notReproduced, raise } from './errors.js';
import { comparisons, loose, strict, tests, type Family } from './registry.js';

const WORDS: readonly (readonly [word: string, atLeast: number, value: boolean])[] = [
  ['true', 1, true],
  ['false', 1, false],
  ['yes', 1, true],
  ['no', 1, false],
  ['on', 2, true],
  ['off', 2, false],
  ['1', 1, true],
  ['0', 1, false],
];

/** Any beginning of `true`, `false`, `yes`, `no`; `on`, `of`, `off`; `1`, `0`; in any case. */
function read(text: string): boolean {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (!/^[\x20-\x7e]*$/.test(trimmed)) notReproduced('this boolean');
  const word = trimmed.toLowerCase();
  for (const [full, atLeast, value] of WORDS) {
    if (word.length >= atLeast && full.startsWith(word)) return value;
  }
  return raise(INVALID_TEXT);
}

export const FUNCTIONS: Family = {
  ...comparisons('bool', compareAscii),
  ...tests({ boolin: read, int4_bool: (value) => value !== '0' }),
  ...strict('int4', { bool_int4: (value) => (value === 't' ? '1' : '0') }),
  ...loose('int4', {
    pg_num_nulls:
      () =>
      (...args) =>
        String(args.filter((arg) => arg === null).length),
    pg_num_nonnulls:
      () =>
      (...args) =>
        String(args.filter((arg) => arg !== null).length),
  }),
  ...strict('text', {
    booltext: (value) => (value === 't' ? 'true' : 'false'),
    boolout: (value) => value,
  }),
};
