import { compareAscii } from '../engine/compare-text.js';
import { INVALID_PARAMETER, OUT_OF_RANGE, raise } from './errors.js';
import { comparisons, strict, type Family } from './registry.js';

/*
 * Bit strings are printed as their digits. Postgres compares their bytes, the last one filled up with zeros, and then
 * their lengths: that is the order of the digits as text.
 */

const LENGTHS_DIFFER = '22026';
const TRUNCATED = '22001';
const INDEX = '2202E';
const NEGATIVE_LENGTH = '22011';
/** (varbit.h, `VARBITMAXLEN`) */
const BITS_MAX = 0x7fffffff - 8 + 1;

function combined(combine: (one: string, other: string) => boolean): (a: string, b: string) => string {
  return (a, b) => {
    if (a.length !== b.length) raise(LENGTHS_DIFFER);
    let result = '';
    for (let at = 0; at < a.length; at++) result += combine(a[at] ?? '', b[at] ?? '') ? '1' : '0';
    return result;
  };
}

/** To the left; what comes in is zeros. */
function shifted(bits: string, by: number): string {
  const width = Math.min(Math.abs(by), bits.length);
  const zeros = '0'.repeat(width);
  return by >= 0 ? bits.slice(width) + zeros : zeros + bits.slice(0, bits.length - width);
}

/** @param length null: to the end */
function part(bits: string, start: number, length: number | null): string {
  if (length !== null && length < 0) raise(NEGATIVE_LENGTH);
  const end = length === null ? bits.length + 1 : Math.min(start + length, bits.length + 1);
  return bits.slice(Math.max(start, 1) - 1, Math.max(end - 1, 0));
}

/** A modifier that is no length, as casts have it that name none, leaves the bits as they are. */
function isLength(length: number): boolean {
  return length > 0 && length <= BITS_MAX;
}

function place(bits: string, at: string): number {
  const index = Number(at);
  return index >= 0 && index < bits.length ? index : raise(INDEX);
}

function ofInteger(value: string, length: string): string {
  const width = isLength(Number(length)) ? Number(length) : 1;
  const negative = value.startsWith('-');
  const digits = BigInt.asUintN(64, BigInt(value)).toString(2);
  return digits.padStart(width, negative ? '1' : '0').slice(-width);
}

function toInteger(bits: string, width: number): string {
  if (bits.length > width) raise(OUT_OF_RANGE);
  return String(BigInt.asIntN(width, BigInt(`0b0${bits}`)));
}

export const BITS: Family = {
  ...comparisons('bit', compareAscii),
  ...strict('bit', {
    bit_and: combined((one, other) => one === '1' && other === '1'),
    bit_or: combined((one, other) => one === '1' || other === '1'),
    bitxor: combined((one, other) => one !== other),
    bitnot: (bits) => bits.replace(/./g, (bit) => (bit === '0' ? '1' : '0')),
    bitshiftleft: (bits, by) => shifted(bits, Number(by)),
    bitshiftright: (bits, by) => shifted(bits, -Number(by)),
    bitsubstr: (bits, start, length) => part(bits, Number(start), Number(length)),
    bitsubstr_no_len: (bits, start) => part(bits, Number(start), null),
    bit: (bits, length, explicit) => {
      const width = Number(length);
      if (!isLength(width) || width === bits.length) return bits;
      if (explicit !== 't') raise(LENGTHS_DIFFER);
      return bits.slice(0, width).padEnd(width, '0');
    },
    bitsetbit: (bits, at, bit) => {
      const index = place(bits, at);
      if (bit !== '0' && bit !== '1') raise(INVALID_PARAMETER);
      return bits.slice(0, index) + bit + bits.slice(index + 1);
    },
    bitfromint4: ofInteger,
    bitfromint8: ofInteger,
  }),
  ...strict('varbit', {
    bitcat: (a, b) => a + b,
    varbit: (bits, length, explicit) => {
      const width = Number(length);
      if (width <= 0 || width >= bits.length) return bits;
      return explicit === 't' ? bits.slice(0, width) : raise(TRUNCATED);
    },
  }),
  ...strict('int4', {
    bitlength: (bits) => String(bits.length),
    bitoctetlength: (bits) => String(Math.ceil(bits.length / 8)),
    bitposition: (bits, wanted) => (bits === '' ? '0' : String(bits.indexOf(wanted) + 1)),
    bitgetbit: (bits, at) => bits[place(bits, at)] ?? null,
    bittoint4: (bits) => toInteger(bits, 32),
  }),
  ...strict('int8', {
    bittoint8: (bits) => toInteger(bits, 64),
    bit_bit_count: (bits) => String(bits.replaceAll('0', '').length),
  }),
  ...strict('text', { bit_out: (bits) => bits, varbit_out: (bits) => bits }),
};
