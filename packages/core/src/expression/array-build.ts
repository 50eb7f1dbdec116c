import type { ValueType } from '../plan.js';
import type { PgText } from '../value.js';
import { EMPTY_ARRAY, parseArray, printArray } from './array-value.js';
import { notReproduced, raise } from './errors.js';

const SUBSCRIPT_ERROR = '2202E';
const DIMENSIONS_MAX = 6;

/** `ARRAY[…]` of arguments of a type; of arrays, which must agree in their dimensions, it makes one dimension more. */
export function arrayOf(type: ValueType): (elements: readonly PgText[]) => string {
  if (type.kind === 'opaque') return notReproduced('arrays of this type');
  if (type.kind !== 'array') {
    return (elements) => printArray({ lengths: [elements.length], firsts: [1], elements });
  }
  return (args) => {
    if (args.includes(null)) notReproduced('an array of arrays, one of them null');
    const parts = args.map((arg) => parseArray(arg ?? ''));
    const [first = EMPTY_ARRAY] = parts;
    if (parts.every((part) => part.elements.length === 0)) return '{}';
    const same = parts.every((part) => String(part.lengths) === String(first.lengths));
    const sameFirsts = parts.every((part) => String(part.firsts) === String(first.firsts));
    if (!same || first.lengths.length >= DIMENSIONS_MAX) raise(SUBSCRIPT_ERROR);
    if (!sameFirsts) notReproduced('arrays with other first indexes');
    return printArray({
      lengths: [parts.length, ...first.lengths],
      firsts: [1, ...first.firsts],
      elements: parts.flatMap((part) => part.elements),
    });
  };
}
