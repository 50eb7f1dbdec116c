/**
 * The text of `float4` and `float8` as Postgres prints it with extra_float_digits 1: the shortest decimal that lies
 * strictly between the midpoints to the neighbouring floats. JavaScript also accepts a decimal *on* a midpoint when
 * the float's last bit is even (1e23), so its shortest text is taken only when it is no midpoint.
 *
 *     ──┼───────┊───────┼───────┊───────┼──     ┼ floats, ┊ midpoints: JavaScript [┊ ┊], Postgres ]┊ ┊[
 */

/** Outside these bounds no midpoint of two doubles has 17 digits or fewer. */
const MIDPOINT_MIN = 1e14;
const MIDPOINT_MAX = 1e42;
/** From this power of ten on, Postgres writes an exponent. (DBL_DIG, FLT_DIG) */
const DOUBLE_DIGITS = 15;
const SINGLE_DIGITS = 6;

export function printDouble(value: number): string {
  const special = printSpecial(value);
  if (special !== null) return special;
  const magnitude = Math.abs(value);
  let text = magnitude.toExponential();
  if (magnitude > MIDPOINT_MIN && magnitude < MIDPOINT_MAX && isMidpoint(text, magnitude, neighbours64)) {
    text = strictlyShortest(magnitude, 17, neighbours64);
  }
  return layOut(value < 0, text, DOUBLE_DIGITS);
}

/** @param value one that a float4 holds exactly */
export function printSingle(value: number): string {
  const special = printSpecial(value);
  if (special !== null) return special;
  return layOut(value < 0, strictlyShortest(Math.abs(value), 9, neighbours32), SINGLE_DIGITS);
}

function printSpecial(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return 'Infinity';
  if (value === -Infinity) return '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return null;
}

/** As C's `%g` would: `1.5e+16`, `1e-05`, fixed between. */
function layOut(negative: boolean, exponential: string, digitsMax: number): string {
  const [mantissa = '', exponentText = '0'] = exponential.split('e');
  const digits = mantissa.replace('.', '').replace(/0+$/, '') || '0';
  const exponent = Number(exponentText);
  return (negative ? '-' : '') + place(digits, exponent, digitsMax);
}

function place(digits: string, exponent: number, digitsMax: number): string {
  if (exponent < -4 || exponent >= digitsMax) {
    const power = String(Math.abs(exponent)).padStart(2, '0');
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** The floats below and above a positive one. */
type Neighbours = (value: number) => readonly [below: number, above: number];

const buffer = new DataView(new ArrayBuffer(8));

const neighbours64: Neighbours = (value) => {
  buffer.setFloat64(0, value);
  const bits = buffer.getBigUint64(0);
  buffer.setBigUint64(0, bits - 1n);
  const below = buffer.getFloat64(0);
  buffer.setBigUint64(0, bits + 1n);
  return [below, buffer.getFloat64(0)];
};

export const neighbours32: Neighbours = (value) => {
  buffer.setFloat32(0, value);
  const bits = buffer.getUint32(0);
  buffer.setUint32(0, bits - 1);
  const below = buffer.getFloat32(0);
  buffer.setUint32(0, bits + 1);
  const above = buffer.getFloat32(0);
  return [below, above === Infinity ? 2 ** 128 : above];
};

function isMidpoint(text: string, value: number, neighbours: Neighbours): boolean {
  const [below, above] = neighbours(value);
  return sideOf(text, below, value) === 0 || sideOf(text, value, above) === 0;
}

function strictlyShortest(value: number, digitsMax: number, neighbours: Neighbours): string {
  const [below, above] = neighbours(value);
  for (let digits = 1; digits < digitsMax; digits++) {
    const nearest = value.toExponential(digits - 1);
    for (const candidate of [evenOfTie(value, digits) ?? nearest, nextDecimal(nearest)]) {
      if (sideOf(candidate, below, value) > 0 && sideOf(candidate, value, above) < 0) return candidate;
    }
  }
  return value.toExponential(digitsMax - 1);
}

/** Between two decimals that are as near, Postgres takes the even one, `toExponential` the larger one. */
export function evenOfTie(value: number, digits: number): string | null {
  const [mantissa = '', exponent = '0'] = value.toExponential(digits).split('e');
  const tied = mantissa.endsWith('5') && sideOf(`${mantissa}e${exponent}`, value, value) === 0;
  if (!tied || Number(mantissa.replace('.', '').at(-2)) % 2 === 1) return null;
  return `${mantissa.slice(0, -1)}e${exponent}`;
}

/** The next decimal of as many digits: at a power of two the float's room above is twice that below. */
function nextDecimal(text: string): string {
  const [mantissa = '', exponent = '0'] = text.split('e');
  const digits = mantissa.replace('.', '');
  const next = String(Number(digits) + 1);
  const carried = next.length > digits.length ? 1 : 0;
  return `${next.slice(0, 1)}.${next.slice(1)}e${Number(exponent) + carried}`;
}

/** Whether a decimal is below (-1), on (0) or above (1) the midpoint of two floats, exactly. */
export function sideOf(text: string, low: number, high: number): number {
  const [mantissa = '', exponentText = '0'] = text.split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const exponent = Number(exponentText) - fraction.length;
  const a = binary(low);
  const b = binary(high);
  const power = Math.min(a.power, b.power);
  const sum = (a.mantissa << BigInt(a.power - power)) + (b.mantissa << BigInt(b.power - power));
  const left = scaled(BigInt(whole + fraction) * 2n, exponent, -power);
  const right = scaled(sum, -exponent, power);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Multiplied by the powers that are positive; the negative ones are on the other side. */
function scaled(value: bigint, ten: number, two: number): bigint {
  return (value * (ten > 0 ? 10n ** BigInt(ten) : 1n)) << BigInt(Math.max(two, 0));
}

/** A non-negative double as mantissa times a power of two. */
function binary(value: number): { readonly mantissa: bigint; readonly power: number } {
  buffer.setFloat64(0, value);
  const bits = buffer.getBigUint64(0);
  const exponent = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & 0xfffffffffffffn;
  return exponent === 0
    ? { mantissa: fraction, power: -1074 }
    : { mantissa: fraction | 0x10000000000000n, power: exponent - 1075 };
}
