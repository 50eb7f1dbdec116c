import { JsonNumber } from '../json.js';
import { notReproduced, OUT_OF_RANGE, raise } from './errors.js';
import { parseDecimal, rescale } from './decimal.js';
import { parseNode, printNode } from './json-node.js';

/** A scalar of the wanted kind. JSON's null became SQL's in 18, so it is left to Postgres, like all other kinds. */
export function constrainJsonNumber(text: string, kind: 'number' | 'boolean'): string {
  const node = parseNode(text);
  const matches = kind === 'boolean' ? typeof node === 'boolean' : node instanceof JsonNumber;
  return matches ? printNode(node) : notReproduced('a cast of this JSON');
}

export function constrainInteger(bits: bigint): (text: string) => string {
  const limit = 1n << (bits - 1n);
  return (text) => {
    const { digits } = rescale(parseDecimal(constrainJsonNumber(text, 'number')), 0);
    return digits < -limit || digits >= limit ? raise(OUT_OF_RANGE) : String(digits);
  };
}
