/** Postgres prints the fewest digits that read back as the same number, strictly between its neighbours. */
export function float8Text(value: number): string {
  return floatText(value, 15, (digits) => Number(digits) === value && !isHalfway(digits, value));
}

export function float4Text(value: number): string {
  const bits = new DataView(new ArrayBuffer(4));
  const near = (text: string): boolean => {
    const exact = Number(text);
    return Math.fround(exact) === value && !isHalfwayFloat4(exact, value, bits);
  };
  return floatText(value, 6, near);
}

/** @param plain exponents below it (and from -4 on) are written out. */
function floatText(value: number, plain: number, reads: (digits: string) => boolean): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  for (let digits = 0; digits <= 17; digits++) {
    const text = shortest(value, digits, reads);
    if (text !== null) return layOut(text, plain);
  }
  return layOut(value.toExponential(), plain);
}

/** The number with so many digits after the first that reads back; at the edge of a power of two it may be the next one up. */
function shortest(value: number, digits: number, reads: (text: string) => boolean): string | null {
  const text = value.toExponential(digits);
  const below = moved(text, digits, -1n);
  // Where two are equally near, JavaScript takes the larger one and Postgres the even one.
  const odd = /[13579](?=e)/.test(text);
  if (odd && below !== null && reads(below) && isHalfwayOf(text, below, value)) return below;
  if (reads(text)) return text;
  const above = moved(text, digits, 1n);
  if (above !== null && reads(above)) return above;
  return below !== null && reads(below) ? below : null;
}

/** The next number of as many digits, away from zero or towards it; null where it has more or fewer. */
function moved(text: string, digits: number, step: bigint): string | null {
  const [mantissa = '', exponent = ''] = text.split('e');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const next = (BigInt(mantissa.replace(/[-.]/g, '')) + step).toString();
  if (next.length !== digits + 1) return null;
  return `${sign}${next[0] ?? ''}${digits > 0 ? `.${next.slice(1)}` : ''}e${exponent}`;
}

/** Whether the number lies exactly between two decimals. */
function isHalfwayOf(one: string, other: string, value: number): boolean {
  const [a, b, c] = [rational(one), rational(other), fraction(value)];
  return (a.over * b.under + b.over * a.under) * c.under === 2n * c.over * (a.under * b.under);
}

/** `1.5e+20` as C's %g would lay it out. */
function layOut(text: string, plain: number): string {
  const [mantissa = '', power = '0'] = text.split('e');
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '').replace(/0+$/, '') || '0';
  const exponent = Number(power);
  if (exponent < -4 || exponent >= plain) {
    const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0] ?? ''}${rest}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const part = digits.slice(exponent + 1);
  return `${sign}${whole}${part === '' ? '' : `.${part}`}`;
}

/** Exactly between the number and a neighbour: what rounding to even reads back is not taken for the number by Postgres. */
function isHalfway(text: string, value: number): boolean {
  const exact = rational(text);
  return [neighbour(value, 1n), neighbour(value, -1n)].some((other) => {
    if (!Number.isFinite(other)) return false;
    const a = fraction(value);
    const b = fraction(other);
    // 2 * exact = a + b
    const sum = a.over * b.under + b.over * a.under;
    return 2n * exact.over * (a.under * b.under) === sum * exact.under;
  });
}

function isHalfwayFloat4(exact: number, value: number, bits: DataView): boolean {
  bits.setFloat32(0, value);
  const at = bits.getInt32(0);
  return [1, -1].some((step) => {
    bits.setInt32(0, at + step);
    // Doubles hold the middle of two floats exactly.
    return (bits.getFloat32(0) + value) / 2 === exact;
  });
}

function neighbour(value: number, step: bigint): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + step);
  return bits.getFloat64(0);
}

interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

function rational(text: string): Fraction {
  const [mantissa = '', power = '0'] = text.split('e');
  const [whole = '', part = ''] = mantissa.split('.');
  const exponent = BigInt(Number(power) - part.length);
  const digits = BigInt(whole + part);
  return exponent < 0n
    ? { over: digits, under: 10n ** -exponent }
    : { over: digits * 10n ** exponent, under: 1n };
}

function fraction(value: number): Fraction {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const field = (raw >> 52n) & 0x7ffn;
  const mantissa = (raw & 0xfffffffffffffn) | (field === 0n ? 0n : 1n << 52n);
  const exponent = (field === 0n ? 1n : field) - 1075n;
  const signed = raw >> 63n === 1n ? -mantissa : mantissa;
  return exponent < 0n ? { over: signed, under: 1n << -exponent } : { over: signed << exponent, under: 1n };
}

const NUMERIC_SPECIAL: Readonly<Record<number, string>> = {
  0xc000: 'NaN',
  0xd000: 'Infinity',
  0xf000: '-Infinity',
};

/** Digits in base 10,000 after a header of two bytes, or of four. */
export function numericText(view: DataView): string | undefined {
  const header = view.getUint16(0, true);
  if ((header & 0xc000) === 0xc000) return NUMERIC_SPECIAL[header & 0xf000];
  const short = (header & 0x8000) !== 0;
  const negative = short ? (header & 0x2000) !== 0 : (header & 0x4000) !== 0;
  const scale = short ? (header & 0x1f80) >> 7 : header & 0x3fff;
  const weight = short ? (header & 0x3f) - ((header & 0x40) === 0 ? 0 : 64) : view.getInt16(2, true);
  const start = short ? 2 : 4;
  const count = (view.byteLength - start) / 2;
  const digit = (index: number): string =>
    String(index >= 0 && index < count ? view.getInt16(start + index * 2, true) : 0).padStart(4, '0');
  let whole = '';
  for (let index = 0; index <= weight; index++) whole += digit(index);
  let part = '';
  for (let index = weight + 1; part.length < scale; index++) part += digit(index);
  const sign = negative ? '-' : '';
  const shown = whole.replace(/^0+(?=\d)/, '') || '0';
  return `${sign}${shown}${scale === 0 ? '' : `.${part.slice(0, scale)}`}`;
}
