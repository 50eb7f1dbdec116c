import { compareDecimal } from '../engine/compare-text.js';
import {
  divideRounded,
  parseDecimal,
  power10,
  printDecimal,
  readNumber,
  rescale,
  wholeDigits,
  type Decimal,
} from './decimal.js';
import { DIVISION_BY_ZERO, OUT_OF_RANGE, notReproduced, raise } from './errors.js';
import { comparisons, strict, type Family } from './registry.js';

/** Digits before and behind the point that a numeric can have. (numeric.h) */
const WHOLE_DIGITS_MAX = 131_072;
const SCALE_MAX = 16_383;
/** Where the majors agree about what `round` and `trunc` do. */
const ROUND_SCALE_MAX = 2000;
/** What a quotient has at least, in all, and at most, behind the point. */
const SIGNIFICANT_DIGITS_MIN = 16;
const DISPLAY_SCALE_MAX = 1000;

const SPECIAL = /^(NaN|-?Infinity)$/;

function isSpecial(text: string): boolean {
  return SPECIAL.test(text);
}

function finish(value: Decimal): string {
  const bounded = value.scale > SCALE_MAX ? rescale(value, SCALE_MAX) : value;
  if (wholeDigits(bounded) > WHOLE_DIGITS_MAX) raise(OUT_OF_RANGE);
  return printDecimal(bounded);
}

type Arithmetic = (a: Decimal, b: Decimal) => Decimal;

/** NaN wins; what infinities give is said by `special`, with signs -1, 0, 1 and whether each is infinite. */
function arithmetic(
  exact: Arithmetic,
  special: (a: Sign, b: Sign, left: string) => string,
): (left: string, right: string) => string {
  return (left, right) => {
    if (left === 'NaN' || right === 'NaN') return 'NaN';
    if (isSpecial(left) || isSpecial(right)) return special(signOf(left), signOf(right), left);
    return finish(exact(parseDecimal(left), parseDecimal(right)));
  };
}

interface Sign {
  readonly sign: number;
  readonly infinite: boolean;
}

function signOf(text: string): Sign {
  const zero = /^-?[0.]+$/.test(text);
  return { sign: zero ? 0 : text.startsWith('-') ? -1 : 1, infinite: isSpecial(text) };
}

function infinity(sign: number): string {
  return sign === 0 ? 'NaN' : sign < 0 ? '-Infinity' : 'Infinity';
}

function aligned(combine: (a: bigint, b: bigint) => bigint): Arithmetic {
  return (a, b) => {
    const scale = Math.max(a.scale, b.scale);
    return { digits: combine(rescale(a, scale).digits, rescale(b, scale).digits), scale };
  };
}

const add = arithmetic(
  aligned((a, b) => a + b),
  (a, b) => (a.infinite && b.infinite && a.sign !== b.sign ? 'NaN' : infinity(a.infinite ? a.sign : b.sign)),
);

const subtract = arithmetic(
  aligned((a, b) => a - b),
  (a, b) => (a.infinite && b.infinite && a.sign === b.sign ? 'NaN' : infinity(a.infinite ? a.sign : -b.sign)),
);

const multiply = arithmetic(
  (a, b) => ({ digits: a.digits * b.digits, scale: a.scale + b.scale }),
  (a, b) => infinity(a.sign * b.sign),
);

const divide = arithmetic(
  (a, b) => {
    if (b.digits === 0n) raise(DIVISION_BY_ZERO);
    const scale = quotientScale(a, b);
    const shift = scale + b.scale - a.scale;
    const [dividend, divisor] =
      shift >= 0 ? [a.digits * power10(shift), b.digits] : [a.digits, b.digits * power10(-shift)];
    return { digits: divideRounded(dividend, divisor), scale };
  },
  (a, b) => {
    if (!a.infinite) return '0';
    if (b.infinite) return 'NaN';
    return b.sign === 0 ? raise(DIVISION_BY_ZERO) : infinity(a.sign * b.sign);
  },
);

/** The digits behind the point that Postgres gives a quotient. (numeric.c, `select_div_scale`) */
function quotientScale(a: Decimal, b: Decimal): number {
  const first = leading(a);
  const second = leading(b);
  const weight = first.weight - second.weight - (first.digit <= second.digit ? 1 : 0);
  const scale = Math.max(SIGNIFICANT_DIGITS_MIN - 4 * weight, a.scale, b.scale, 0);
  return Math.min(scale, DISPLAY_SCALE_MAX);
}

/** The first digit other than zero in base 10,000, and the power of 10,000 that it stands for. */
function leading({ digits, scale }: Decimal): { readonly weight: number; readonly digit: number } {
  if (digits === 0n) return { weight: 0, digit: 0 };
  const text = String(digits < 0n ? -digits : digits);
  const weight = Math.floor((text.length - scale - 1) / 4);
  const inDigit = text.length - scale - weight * 4;
  return { weight, digit: Number(text.slice(0, inDigit).padEnd(inDigit, '0')) };
}

const modulo = arithmetic(
  aligned((a, b) => (b === 0n ? raise(DIVISION_BY_ZERO) : a % b)),
  (a, b, left) => {
    if (!a.infinite) return left;
    return b.sign === 0 ? raise(DIVISION_BY_ZERO) : 'NaN';
  },
);

const wholeQuotient = arithmetic(
  (a, b) => {
    if (b.digits === 0n) raise(DIVISION_BY_ZERO);
    return {
      digits: (a.digits * power10(b.scale)) / (b.digits * power10(a.scale)),
      scale: 0,
    };
  },
  (a, b) => {
    if (!a.infinite) return '0';
    if (b.infinite) return 'NaN';
    return b.sign === 0 ? raise(DIVISION_BY_ZERO) : infinity(a.sign * b.sign);
  },
);

/** To a number of digits behind the point, or with a negative one before it. */
function toScale(text: string, scale: number, cut: boolean): string {
  if (isSpecial(text)) return text;
  if (Math.abs(scale) > ROUND_SCALE_MAX) notReproduced('rounding to thousands of digits');
  const value = parseDecimal(text);
  if (scale >= 0) return finish(rescale(value, scale, cut));
  const unit = power10(value.scale - scale);
  const quotient = cut ? value.digits / unit : divideRounded(value.digits, unit);
  return finish({ digits: quotient * power10(-scale), scale: 0 });
}

function toward(text: string, up: boolean): string {
  if (isSpecial(text)) return text;
  const { digits, scale } = parseDecimal(text);
  const unit = power10(scale);
  const whole = digits / unit;
  const exact = digits % unit === 0n;
  const digitsWhole = exact
    ? whole
    : up
      ? digits > 0n
        ? whole + 1n
        : whole
      : digits < 0n
        ? whole - 1n
        : whole;
  return finish({ digits: digitsWhole, scale: 0 });
}

function negate(text: string): string {
  if (text === 'NaN') return text;
  if (text.startsWith('-')) return text.slice(1);
  return signOf(text).sign === 0 ? text : `-${text}`;
}

/** A type modifier of `numeric(precision, scale)`. (numeric.c, `apply_typmod`) */
function constrain(text: string, modifierText: string): string {
  const modifier = Number(modifierText);
  if (modifier < 4 || text === 'NaN') return text;
  if (isSpecial(text)) raise(OUT_OF_RANGE);
  const precision = ((modifier - 4) >> 16) & 0xffff;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  const rounded = toScale(text, scale, false);
  const value = parseDecimal(rounded);
  const limit = power10(precision + Math.max(0, -scale)) * (scale < 0 ? 1n : 1n);
  if (value.digits >= limit || value.digits <= -limit) raise(OUT_OF_RANGE);
  return rounded;
}

function trimScale(text: string): string {
  if (isSpecial(text) || !text.includes('.')) return text;
  return text.replace(/\.?0+$/, '');
}

/** @throws NotReproduced for what is not plain decimal text: Postgres also takes hexadecimal and underscores */
export function readNumeric(text: string): string {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (isSpecial(trimmed)) return trimmed;
  return finish(readNumber(trimmed) ?? notReproduced('this numeric'));
}

const NAN_TO_INTEGER = '0A000';

/** To an integer type: rounded half away from zero. */
function toInteger(bits: bigint): (text: string) => string {
  const limit = 1n << (bits - 1n);
  return (text) => {
    if (isSpecial(text)) raise(NAN_TO_INTEGER);
    const { digits } = rescale(parseDecimal(text), 0);
    return digits < -limit || digits >= limit ? raise(OUT_OF_RANGE) : String(digits);
  };
}

export const FUNCTIONS: Family = {
  ...comparisons('numeric_', compareDecimal),
  ...strict('numeric', {
    numeric_add: add,
    numeric_sub: subtract,
    numeric_mul: multiply,
    numeric_div: divide,
    numeric_mod: modulo,
    numeric_div_trunc: wholeQuotient,
    numeric_uminus: negate,
    numeric_uplus: (text) => text,
    numeric_abs: (text) => (text.startsWith('-') ? text.slice(1) : text),
    numeric_sign: (text) => (text === 'NaN' ? text : String(signOf(text).sign)),
    numeric_round: (text, scale) => toScale(text, Number(scale), false),
    numeric_trunc: (text, scale) => toScale(text, Number(scale), true),
    'round(numeric)': (text) => toScale(text, 0, false),
    'trunc(numeric)': (text) => toScale(text, 0, true),
    numeric_ceil: (text) => toward(text, true),
    numeric_floor: (text) => toward(text, false),
    numeric_inc: (text) => add(text, '1'),
    numeric_trim_scale: trimScale,
    numeric: constrain,
    numeric_in: readNumeric,
    int2_numeric: (text) => text,
    int4_numeric: (text) => text,
    int8_numeric: (text) => text,
  }),
  ...strict('int4', {
    numeric_scale: (text) => (isSpecial(text) ? null : String(parseDecimal(text).scale)),
    numeric_min_scale: (text) => (isSpecial(text) ? null : String(parseDecimal(trimScale(text)).scale)),
    numeric_int4: toInteger(32n),
  }),
  ...strict('int2', { numeric_int2: toInteger(16n) }),
  ...strict('int8', { numeric_int8: toInteger(64n) }),
  ...strict('text', { numeric_out: (text) => text }),
};
