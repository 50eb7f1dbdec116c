/** Postgres counts code points; JavaScript's strings count UTF-16 units. They differ only where surrogates occur. */
const SURROGATE = /[\ud800-\udfff]/;

/** The text as something whose `length` and `slice` are in code points: itself where that is so. */
export function characters(text: string): string | readonly string[] {
  return SURROGATE.test(text) ? Array.from(text) : text;
}

export function lengthOf(text: string): number {
  return characters(text).length;
}

/** From and to a code point, as `String.prototype.slice` takes them. */
export function cut(text: string, from: number, to?: number): string {
  const units = characters(text);
  return typeof units === 'string' ? units.slice(from, to) : units.slice(from, to).join('');
}

/** How many bytes the text has in UTF-8. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}

const BEYOND_ASCII = /[\u0080-\uffff]/;

export function isAscii(text: string): boolean {
  return !BEYOND_ASCII.test(text);
}

export function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function asciiUpper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
