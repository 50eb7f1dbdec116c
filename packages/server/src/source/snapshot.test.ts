import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSnapshot, sees, widen } from './snapshot.js';

const HALF = 2n ** 31n;
const anyXid = fc.bigInt({ min: 3n, max: 2n ** 62n });

test('xids of the stream are widened to the one that Postgres means, also across a wraparound', () => {
  fc.assert(
    fc.property(anyXid, fc.bigInt({ min: -HALF, max: HALF - 1n }), (near, distance) => {
      const xid = near + distance;
      fc.pre(xid >= 3n);
      expect(widen(Number(BigInt.asUintN(32, xid)), near)).toBe(xid);
    }),
  );
});

test('C5: part of the snapshot is what is below xmax and not in xip, whatever the epoch', () => {
  const anyXip = fc.uniqueArray(fc.bigInt({ min: 0n, max: 1000n }), { maxLength: 20 });
  fc.assert(
    fc.property(anyXid, anyXip, fc.bigInt({ min: -1000n, max: 1000n }), (xmax, running, distance) => {
      const xip = running.map((below) => xmax - 1n - below).filter((xid) => xid >= 3n);
      const xmin = xip.reduce((low, xid) => (xid < low ? xid : low), xmax);
      const snapshot = parseSnapshot(`${xmin}:${xmax}:${xip.join(',')}`);
      for (const xid of [xmax + distance, xmax, xmax - 1n, ...xip].filter((one) => one >= 3n)) {
        const visible = xid < xmax && !xip.includes(xid);
        expect(sees(snapshot, Number(BigInt.asUintN(32, xid)))).toBe(visible);
      }
    }),
  );
});
