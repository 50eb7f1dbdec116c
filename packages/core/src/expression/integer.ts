import { DIVISION_BY_ZERO, INVALID_TEXT, OUT_OF_RANGE, notReproduced, raise } from './errors.js';
import { strict, type Family } from './registry.js';

/** `int2` and `int4` fit a JavaScript number with all that one operation makes of them; `int8` does not. */
type Width = 2 | 4;

const LIMITS: Readonly<Record<Width, number>> = { 2: 2 ** 15, 4: 2 ** 31 };
const LIMIT8 = 2n ** 63n;

function checked(value: number, width: Width): string {
  const limit = LIMITS[width];
  return value < -limit || value >= limit ? raise(OUT_OF_RANGE) : String(value);
}

function checked8(value: bigint): string {
  return value < -LIMIT8 || value >= LIMIT8 ? raise(OUT_OF_RANGE) : String(value);
}

type Binary = (a: string, b: string) => string;

/** `Number` prints -0 as 0, which is what is wanted here. */
const narrow =
  (width: Width, operation: (a: number, b: number) => number): Binary =>
  (a, b) =>
    checked(operation(Number(a), Number(b)), width);

const wide =
  (operation: (a: bigint, b: bigint) => bigint): Binary =>
  (a, b) =>
    checked8(operation(BigInt(a), BigInt(b)));

function quotient(a: number, b: number): number {
  return b === 0 ? raise(DIVISION_BY_ZERO) : Math.trunc(a / b);
}

function remainder(a: number, b: number): number {
  return b === 0 ? raise(DIVISION_BY_ZERO) : a % b;
}

function quotient8(a: bigint, b: bigint): bigint {
  return b === 0n ? raise(DIVISION_BY_ZERO) : a / b;
}

/** `+ - * /` of two integer types, under the names `<prefix>pl` and so on. */
function arithmetic(prefix: string, width: Width | 8): Family {
  const both = (small: (a: number, b: number) => number, large: (a: bigint, b: bigint) => bigint): Binary =>
    width === 8 ? wide(large) : narrow(width, small);
  return strict(`int${width}`, {
    [`${prefix}pl`]: both(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
    [`${prefix}mi`]: both(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
    [`${prefix}mul`]: both(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
    [`${prefix}div`]: both(quotient, quotient8),
  });
}

/** What takes one type alone: remainder, bits, sign. */
function single(width: Width): Family {
  const bits = (operation: (a: number, b: number) => number): Binary => narrow(width, operation);
  const shift = (operation: (a: number, by: number) => number): Binary =>
    narrow(width, (a, by) => {
      if (by < 0 || by > 31) notReproduced('shifts beyond the width');
      const shifted = operation(a, by);
      return width === 2 ? (shifted << 16) >> 16 : shifted;
    });
  return strict(`int${width}`, {
    [`int${width}mod`]: narrow(width, remainder),
    [`int${width}and`]: bits((a, b) => a & b),
    [`int${width}or`]: bits((a, b) => a | b),
    [`int${width}xor`]: bits((a, b) => a ^ b),
    [`int${width}shl`]: shift((a, by) => a << by),
    [`int${width}shr`]: shift((a, by) => a >> by),
    [`int${width}not`]: (a) => String(~Number(a)),
    [`int${width}um`]: (a) => checked(-Number(a), width),
    [`int${width}up`]: (a) => a,
    [`int${width}abs`]: (a) => checked(Math.abs(Number(a)), width),
  });
}

const shift8 =
  (operation: (a: bigint, by: bigint) => bigint): Binary =>
  (a, by) => {
    if (Number(by) < 0 || Number(by) > 63) notReproduced('shifts beyond the width');
    return String(BigInt.asIntN(64, operation(BigInt(a), BigInt(by))));
  };

function divisor(a: bigint, b: bigint): bigint {
  let [high, low] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (low !== 0n) [high, low] = [low, high % low];
  return high;
}

function multiple(a: bigint, b: bigint): bigint {
  if (a === 0n || b === 0n) return 0n;
  const product = (a / divisor(a, b)) * b;
  return product < 0n ? -product : product;
}

const SINGLE8: Family = strict('int8', {
  int8mod: wide((a, b) => (b === 0n ? raise(DIVISION_BY_ZERO) : a % b)),
  int8and: wide((a, b) => a & b),
  int8or: wide((a, b) => a | b),
  int8xor: wide((a, b) => a ^ b),
  int8shl: shift8((a, by) => a << by),
  int8shr: shift8((a, by) => a >> by),
  int8not: (a) => String(~BigInt(a)),
  int8um: (a) => checked8(-BigInt(a)),
  int8up: (a) => a,
  int8gcd: wide(divisor),
  int8lcm: wide(multiple),
  int8abs: (a) => checked8(BigInt(a) < 0n ? -BigInt(a) : BigInt(a)),
});

/** An integer in text. @throws NotReproduced for what Postgres may take in other forms (hexadecimal, underscores) */
function read(limit: bigint): (text: string) => string {
  return (text) => {
    const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
    if (trimmed === '' || /^[+-]?[a-z]/i.test(trimmed)) raise(INVALID_TEXT);
    if (!/^[+-]?\d+$/.test(trimmed)) notReproduced('this integer');
    const value = BigInt(trimmed.replace('+', ''));
    return value < -limit || value >= limit ? raise(OUT_OF_RANGE) : String(value);
  };
}

export const FUNCTIONS: Family = {
  ...arithmetic('int2', 2),
  ...arithmetic('int4', 4),
  ...arithmetic('int24', 4),
  ...arithmetic('int42', 4),
  ...Object.assign(
    {},
    ...['int8', 'int28', 'int82', 'int48', 'int84'].map((prefix) => arithmetic(prefix, 8)),
  ),
  ...single(2),
  ...single(4),
  ...SINGLE8,
  ...strict('int2', {
    int2in: read(2n ** 15n),
    i4toi2: (a) => checked(Number(a), 2),
    int82: (a) => checked(Number(a), 2),
  }),
  ...strict('int4', {
    int4gcd: (a, b) => checked(Number(divisor(BigInt(a), BigInt(b))), 4),
    int4lcm: (a, b) => checked(Number(multiple(BigInt(a), BigInt(b))), 4),
    int4in: read(2n ** 31n),
    i2toi4: (a) => a,
    int84: (a) => checked(Number(a), 4),
  }),
  ...strict('int8', { int8in: read(LIMIT8), int28: (a) => a, int48: (a) => a }),
  ...strict('text', { int2out: (a) => a, int4out: (a) => a, int8out: (a) => a }),
};
