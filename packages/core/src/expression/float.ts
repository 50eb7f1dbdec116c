import { readNumber } from './decimal.js';
import { DIVISION_BY_ZERO, OUT_OF_RANGE, notReproduced, raise } from './errors.js';
import { evenOfTie, neighbours32, printDouble, printSingle, sideOf } from './float-text.js';
import { readNumeric } from './numeric.js';
import { comparisons, strict, type Family } from './registry.js';

/**
 * `float8` is JavaScript's number. `float4` arithmetic is float8's rounded once more, which is exact for + - * / and
 * the root: 53 bits are more than twice 24. What libm computes (power, logarithms, sines) is not reproduced.
 */
type Width = 4 | 8;

/** A float4's text is shorter than its value as a double: read it as Postgres holds it. */
function read(text: string, width: Width): number {
  const value = Number(text);
  return width === 4 ? Math.fround(value) : value;
}

function print(value: number, width: Width): string {
  return width === 4 ? printSingle(value) : printDouble(value);
}

function settle(value: number, width: Width): number {
  return width === 4 ? Math.fround(value) : value;
}

type Operation = (a: number, b: number) => number;

/** Overflow and underflow are errors unless the arguments are infinite or zero themselves. (float.h) */
function arithmetic(prefix: string, left: Width, right: Width): Family {
  const width: Width = left === 4 && right === 4 ? 4 : 8;
  const operation = (run: Operation) => (a: string, b: string) =>
    print(run(read(a, left), read(b, right)), width);
  const bounded = (value: number, ...args: number[]): number => {
    const settled = settle(value, width);
    if (Math.abs(settled) === Infinity && args.every((arg) => Number.isFinite(arg))) raise(OUT_OF_RANGE);
    return settled;
  };
  return strict(`float${width}`, {
    [`${prefix}pl`]: operation((a, b) => bounded(a + b, a, b)),
    [`${prefix}mi`]: operation((a, b) => bounded(a - b, a, b)),
    [`${prefix}mul`]: operation((a, b) => {
      const value = bounded(a * b, a, b);
      return value === 0 && a !== 0 && b !== 0 ? raise(OUT_OF_RANGE) : value;
    }),
    [`${prefix}div`]: operation((a, b) => {
      if (b === 0 && !Number.isNaN(a)) raise(DIVISION_BY_ZERO);
      const value = bounded(a / b, a);
      return value === 0 && a !== 0 && Math.abs(b) !== Infinity ? raise(OUT_OF_RANGE) : value;
    }),
  });
}

/** NaN equals NaN and is above infinity; -0 equals 0. */
function order(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compared(prefix: string, left: Width, right: Width): Family {
  return comparisons(prefix, (a, b) => order(read(a, left), read(b, right)));
}

/** To the nearest whole number, halves to the even one. (C's `rint`) */
export function rint(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 52) return value;
  const floor = Math.floor(value);
  const rest = value - floor;
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
}

function toInteger(width: Width, limit: number): (text: string) => string {
  return (text) => {
    const value = rint(read(text, width));
    return value >= -limit && value < limit ? String(BigInt(value)) : raise(OUT_OF_RANGE);
  };
}

/** FLT_DIG, DBL_DIG */
const SINGLE_DIGITS = 6;
const DOUBLE_DIGITS = 15;

/** Through as many digits as every decimal of the type survives. (numeric.c, `float8_numeric`) */
function toNumeric(width: Width): (text: string) => string {
  return (text) => {
    const value = read(text, width);
    if (!Number.isFinite(value)) return text;
    const digits = width === 4 ? SINGLE_DIGITS : DOUBLE_DIGITS;
    const magnitude = Math.abs(value);
    const rounded = evenOfTie(magnitude, digits) ?? magnitude.toExponential(digits - 1);
    return readNumeric((value < 0 ? '-' : '') + rounded.replace(/\.?0+e/, 'e'));
  };
}

function readDouble(text: string): string {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (/^(NaN|-?Infinity)$/.test(trimmed)) return trimmed;
  const value = parse(trimmed);
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(mantissa(trimmed)))) raise(OUT_OF_RANGE);
  return printDouble(value);
}

function parse(text: string): number {
  return readNumber(text) === null ? notReproduced('this float') : Number(text);
}

function mantissa(text: string): string {
  return text.replace(/[eE].*$/, '');
}

/** Rounded once from the decimal, not by way of a double. */
function readSingle(text: string): string {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (/^(NaN|-?Infinity)$/.test(trimmed)) return trimmed;
  const value = Math.fround(parse(trimmed));
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(mantissa(trimmed)))) raise(OUT_OF_RANGE);
  if (Math.fround(value) !== Number(trimmed)) assureNearest(trimmed, Math.abs(value));
  return printSingle(value);
}

/** A decimal so near a midpoint that its double is the midpoint itself could round the other way. */
function assureNearest(text: string, value: number): void {
  const magnitude = text.replace(/^[+-]/, '').toLowerCase();
  const [below, above] = value === 0 ? [0, 2 ** -149] : neighbours32(value);
  const double = Math.abs(Number(text));
  if ((below + value) / 2 !== double && (value + above) / 2 !== double) return;
  const low = double < value ? below : value;
  const high = double < value ? value : above;
  if (sideOf(magnitude, low, high) !== 0) notReproduced('a decimal between two floats');
}

function root(text: string): string {
  const value = Number(text);
  return value < 0 ? raise('2201F') : printDouble(Math.sqrt(value));
}

const same = (text: string): string => text;
const negated = (text: string): string =>
  text === 'NaN' ? text : text.startsWith('-') ? text.slice(1) : `-${text}`;
const absolute = (text: string): string => (text.startsWith('-') ? text.slice(1) : text);
const whole = (round: (value: number) => number) => (text: string) => printDouble(round(Number(text)));

export const FUNCTIONS: Family = {
  ...compared('float8', 8, 8),
  ...compared('float4', 4, 4),
  ...compared('float48', 4, 8),
  ...compared('float84', 8, 4),
  ...arithmetic('float8', 8, 8),
  ...arithmetic('float4', 4, 4),
  ...arithmetic('float48', 4, 8),
  ...arithmetic('float84', 8, 4),
  ...strict('float8', {
    float8um: negated,
    float8up: same,
    float8abs: absolute,
    dround: whole(rint),
    dceil: whole(Math.ceil),
    dfloor: whole(Math.floor),
    dtrunc: whole(Math.trunc),
    dsign: (text) => (Number(text) > 0 ? '1' : Number(text) < 0 ? '-1' : '0'),
    dsqrt: root,
    ftod: (text) => printDouble(read(text, 4)),
    i2tod: same,
    i4tod: same,
    i8tod: (text) => printDouble(Number(text)),
    numeric_float8: (text) => readDouble(text),
    float8in: readDouble,
  }),
  ...strict('float4', {
    float4um: negated,
    float4up: same,
    float4abs: absolute,
    dtof: (text) => {
      const value = Number(text);
      const single = Math.fround(value);
      if (Math.abs(single) === Infinity && Number.isFinite(value)) raise(OUT_OF_RANGE);
      return single === 0 && value !== 0 ? raise(OUT_OF_RANGE) : printSingle(single);
    },
    i2tof: readSingle,
    i4tof: readSingle,
    i8tof: readSingle,
    numeric_float4: readSingle,
    float4in: readSingle,
  }),
  ...strict('int2', { dtoi2: toInteger(8, 2 ** 15), ftoi2: toInteger(4, 2 ** 15) }),
  ...strict('int4', { dtoi4: toInteger(8, 2 ** 31), ftoi4: toInteger(4, 2 ** 31) }),
  ...strict('int8', { dtoi8: toInteger(8, 2 ** 63), ftoi8: toInteger(4, 2 ** 63) }),
  ...strict('numeric', { float8_numeric: toNumeric(8), float4_numeric: toNumeric(4) }),
  ...strict('text', { float8out: same, float4out: same }),
};
