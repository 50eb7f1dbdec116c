import { compareAscii } from '../engine/compare-text.js';
import { OUT_OF_RANGE, raise } from './errors.js';
import { comparisons, strict, type Family } from './registry.js';

/** A MAC address is printed as its bytes in hexadecimal, two digits each between colons: six bytes, or eight. */
type Bytes = readonly number[];

function bytesOf(text: string): Bytes {
  return text.split(':').map((digits) => Number.parseInt(digits, 16));
}

function textOf(bytes: Bytes): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function changed(change: (byte: number, at: number) => number): (text: string) => string {
  return (text) => textOf(bytesOf(text).map(change));
}

function combined(combine: (one: number, other: number) => number): (a: string, b: string) => string {
  return (a, b) => {
    const other = bytesOf(b);
    return textOf(bytesOf(a).map((byte, at) => combine(byte, other[at] ?? 0)));
  };
}

const not = changed((byte) => ~byte & 0xff);
const and = combined((one, other) => one & other);
const or = combined((one, other) => one | other);
/** The manufacturer's three bytes. */
const trunc = changed((byte, at) => (at < 3 ? byte : 0));

/** Between the halves of the longer form stand `ff:fe`, or it has no shorter one. */
function shorter(text: string): string {
  const bytes = bytesOf(text);
  if (bytes[3] !== 0xff || bytes[4] !== 0xfe) raise(OUT_OF_RANGE);
  return textOf([...bytes.slice(0, 3), ...bytes.slice(5)]);
}

export const MAC: Family = {
  ...comparisons('macaddr_', compareAscii),
  ...comparisons('macaddr8_', compareAscii),
  ...strict('macaddr', {
    macaddr_not: not,
    macaddr_and: and,
    macaddr_or: or,
    macaddr_trunc: trunc,
    macaddr8tomacaddr: shorter,
  }),
  ...strict('macaddr8', {
    macaddr8_not: not,
    macaddr8_and: and,
    macaddr8_or: or,
    macaddr8_trunc: trunc,
    macaddr8_set7bit: changed((byte, at) => (at === 0 ? byte | 2 : byte)),
    macaddrtomacaddr8: (text) => `${text.slice(0, 8)}:ff:fe${text.slice(8)}`,
  }),
  ...strict('text', { macaddr_out: (text) => text, macaddr8_out: (text) => text }),
};
