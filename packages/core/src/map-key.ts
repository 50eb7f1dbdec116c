/**
 * A text as the key of a `Map`, or as a value that is compared: a whole number of up to nine digits in its canonical form
 * stands as that number, any other text as it is. Two texts are the same exactly when their keys are. Such a number lies in
 * the place that has it, where a text is an object of its own, which has to be read from memory to be compared.
 */
export type MapKey = string | number;

export function mapKey(text: string): MapKey {
  const { length } = text;
  // `0` is canonical; `007` is not.
  if (length === 0 || length > 9 || (length > 1 && text[0] === '0')) return text;
  let number = 0;
  for (let at = 0; at < length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return text;
    number = number * 10 + digit;
  }
  return number;
}

/** Null stays null. */
export function textOf<T extends string | null>(key: T | number): T | string {
  return typeof key === 'number' ? String(key) : key;
}
