import { asLsn, type Lsn } from '@sluice/core/lsn';
import { expect, test } from 'vitest';
import { RelevantLog } from './relevant-log.js';

const lsnOf = (n: number): Lsn => asLsn(BigInt(10 * n));
const everything = { xmin: 1n, xmax: 1_000_000n, xip: new Set<bigint>() };

test('at its bound the older half is forgotten, and where what is left begins is told', () => {
  const log = new RelevantLog();
  const add = (n: number): Lsn | null => log.add({ xid: n, lsn: lsnOf(n), previous: asLsn(lsnOf(n) - 1n) });
  for (let n = 1; n <= 100_000; n++) expect(add(n)).toBe(null);
  const from = add(100_001);
  expect(log.size).toBe(50_001);
  // 50,001 is the first that is left: whoever is behind of an earlier one has to begin there.
  expect(from).toBe(asLsn(lsnOf(50_001) - 1n));
  expect(log.lastSeen({ ...everything, xmax: 50_001n })).toBe(null);
  expect(log.lastSeen({ ...everything, xmax: 50_002n })).toBe(lsnOf(50_001));
});
