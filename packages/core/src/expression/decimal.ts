/**
 * Decimals as Postgres's `numeric` has them: digits of any number and a display scale that is part of the value's
 * text (1.0 and 1.00 are equal and print differently). NaN and the infinities are the callers'.
 */
export interface Decimal {
  /** The value times ten to the power of `scale`. */
  readonly digits: bigint;
  /** Digits behind the point; never negative. */
  readonly scale: number;
}

export function parseDecimal(text: string): Decimal {
  const point = text.indexOf('.');
  if (point < 0) return { digits: BigInt(text), scale: 0 };
  return { digits: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 };
}

export function printDecimal({ digits, scale }: Decimal): string {
  if (scale === 0) return String(digits);
  const negative = digits < 0n;
  const text = String(negative ? -digits : digits).padStart(scale + 1, '0');
  return `${negative ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

export function power10(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** The same value with another scale; digits that fall away round half away from zero, or are cut. */
export function rescale(value: Decimal, scale: number, cut: boolean = false): Decimal {
  if (scale >= value.scale) {
    return { digits: value.digits * power10(scale - value.scale), scale };
  }
  const unit = power10(value.scale - scale);
  return { digits: cut ? value.digits / unit : divideRounded(value.digits, unit), scale };
}

/** The nearest integer to a quotient, halves away from zero. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const twice = 2n * (rest < 0n ? -rest : rest);
  if (twice < (divisor < 0n ? -divisor : divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** How many digits a value has before its point; none for fractions below one. */
export function wholeDigits({ digits, scale }: Decimal): number {
  const length = String(digits < 0n ? -digits : digits).length;
  return digits === 0n ? 0 : Math.max(0, length - scale);
}

/**
 * A number as people and JSON write it: a sign, digits, a point, an exponent. Null when it is none.
 * The scale is the digits behind the point less the exponent. (numeric.c, `set_var_from_str`)
 */
export function readNumber(text: string): Decimal | null {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/.exec(text);
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match ?? [];
  if (match === null || whole + fraction === '') return null;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > 10_000) return null;
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const scale = fraction.length - exponent;
  return scale < 0 ? { digits: digits * power10(-scale), scale: 0 } : { digits, scale };
}
