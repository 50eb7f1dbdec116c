import { compareAscii } from '../engine/compare-text.js';
import { comparator } from '../engine/compare.js';
import type { ValueType } from '../plan.js';
import { INVALID_TEXT, notReproduced, raise } from './errors.js';
import { comparisons, stable, strict, tests, typed, typedComparisons, type Family } from './registry.js';

const UUID_TEXT = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export const UUID: Family = {
  ...comparisons('uuid_', compareAscii),
  ...strict('uuid', {
    uuid_in: (text) => (UUID_TEXT.test(text) ? text.toLowerCase() : notReproduced('this form of a uuid')),
  }),
  ...strict('text', { uuid_out: (text) => text }),
};

/** Labels in the order in which the type declares them. */
function labelOrder([type, other]: readonly ValueType[]): (left: string, right: string) => number {
  const labels = type?.kind === 'enum' ? type : other;
  return labels?.kind === 'enum' ? comparator(labels, {}) : notReproduced('an enum without its labels');
}

export const ENUM: Family = {
  ...typedComparisons('enum_', labelOrder),
  ...tests({ enum_eq: (a, b) => a === b, enum_ne: (a, b) => a !== b }),
  ...stable({
    ...strict('text', { enum_out: (text) => text }),
    ...typed('anyenum', {
      enum_in: ([type]) => {
        const labels = new Set(
          type?.kind === 'enum' ? type.labels : notReproduced('an enum without its labels'),
        );
        return (text) => (labels.has(text) ? text : raise(INVALID_TEXT));
      },
    }),
  }),
};
