import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asLsn, formatLsn, highHalf, lowHalf, lsnOfHalves, parseLsn } from './lsn.js';
import { formatPosition, parsePosition } from './position.js';

const lsns = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(asLsn);

test('C1: an LSN has 64 bits and prints as Postgres prints it', () => {
  expect(formatLsn(asLsn(0x16b374d848n))).toBe('16/B374D848');
  expect(formatLsn(asLsn(0n))).toBe('0/0');
  expect(parseLsn('FFFFFFFF/FFFFFFFF')).toBe((1n << 64n) - 1n);
  fc.assert(
    fc.property(lsns, (lsn) => {
      const [high, low] = [lsn >> 32n, lsn & 0xffffffffn];
      expect(formatLsn(lsn)).toBe(`${high.toString(16)}/${low.toString(16)}`.toUpperCase());
      expect(parseLsn(formatLsn(lsn))).toBe(lsn);
      expect(lsnOfHalves(highHalf(lsn), lowHalf(lsn))).toBe(lsn);
    }),
  );
  for (const half of [0, 1, 0xf, 0x10, 0xff, 0x100, 0xfff, 0x1000, 0x10000, 0x100000, 0xfffffff, 0xffffffff])
    expect(formatLsn(asLsn(BigInt(half)))).toBe(`0/${half.toString(16).toUpperCase()}`);
});

test('C1: a position names its epoch, and what is none is told apart', () => {
  fc.assert(
    fc.property(lsns, (lsn) => {
      const epoch = '7301442958736401234.1';
      expect(parsePosition(formatPosition(epoch, lsn))).toEqual({ epoch, lsn });
    }),
  );
  for (const wrong of ['', ':', '0/0', ':0/0', 'e:', 'e:0', 'e:123456789/0', 'e:0/G', 'e:0/0 ']) {
    expect([wrong, parsePosition(wrong)]).toEqual([wrong, null]);
  }
});
