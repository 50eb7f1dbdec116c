/**
 * A text as the key of a `Map`, or as a value that is compared: a whole number of 32 bits in its canonical form stands as
 * that number, any other text as it is. Two texts are the same exactly when their keys are. Such a number lies in the place
 * that has it, where a text is an object of its own, which has to be read from memory to be compared.
 */
export type MapKey = string | number;

const ZERO = 48;
const MINUS = 45;
/** Of what surely fits: `-2147483648` is left a text. */
const DIGITS_MAX = 10;
const MAX = 0x7fffffff;

export function mapKey(text: string): MapKey {
  const { length } = text;
  const isNegative = text.charCodeAt(0) === MINUS;
  const start = isNegative ? 1 : 0;
  if (length === start || length > DIGITS_MAX + start) return text;
  // `0` is canonical; `-0`, `007` are not.
  if (text.charCodeAt(start) === ZERO && length > 1) return text;
  let number = 0;
  for (let at = start; at < length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return text;
    number = number * 10 + digit;
  }
  if (number > MAX) return text;
  return isNegative ? -number : number;
}

export function textOf(key: MapKey): string {
  return typeof key === 'number' ? String(key) : key;
}
