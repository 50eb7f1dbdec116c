export function compareAscii(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * By UTF-8 bytes, which is by code points: JavaScript's `<` compares UTF-16 units and puts a surrogate pair
 * (U+10000 and above) before U+E000..U+FFFF.
 */
export function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      const aHigh = a >= 0xd800 && a <= 0xdfff;
      const bHigh = b >= 0xd800 && b <= 0xdfff;
      return aHigh === bHigh ? a - b : aHigh ? 1 : -1;
    }
  }
  return left.length - right.length;
}

/** Integers and numerics of any length, NaN above infinity above all numbers. */
export function compareDecimal(left: string, right: string): number {
  if (left === right) return 0;
  const special = decimalRank(left) - decimalRank(right);
  if (special !== 0) return special;
  if (decimalRank(left) !== 0) return 0;
  const a = normaliseDecimal(left);
  const b = normaliseDecimal(right);
  const aNegative = a.startsWith('-');
  const bNegative = b.startsWith('-');
  if (aNegative !== bNegative) return aNegative ? -1 : 1;
  return aNegative ? compareMagnitude(b.slice(1), a.slice(1)) : compareMagnitude(a, b);
}

function decimalRank(value: string): number {
  if (value === 'NaN') return 2;
  if (value === 'Infinity') return 1;
  return value === '-Infinity' ? -1 : 0;
}

function compareMagnitude(left: string, right: string): number {
  const aPoint = left.indexOf('.');
  const bPoint = right.indexOf('.');
  const aWhole = aPoint < 0 ? left.length : aPoint;
  const bWhole = bPoint < 0 ? right.length : bPoint;
  return aWhole - bWhole || compareAscii(left, right);
}

export function normaliseDecimal(value: string): string {
  if (!value.includes('.')) return value;
  let end = value.length;
  while (value.charCodeAt(end - 1) === 48) end--;
  if (value.charCodeAt(end - 1) === 46) end--;
  const trimmed = value.slice(0, end);
  return trimmed === '-0' ? '0' : trimmed;
}

export function trimBlanks(value: string): string {
  let end = value.length;
  while (value.charCodeAt(end - 1) === 32) end--;
  return end === value.length ? value : value.slice(0, end);
}
