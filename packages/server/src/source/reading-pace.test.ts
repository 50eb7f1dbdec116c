import { expect, test } from 'vitest';
import { ReadingPace } from './reading-pace.js';

function pace(): { readonly read: (atMs: number, bytes: number) => number } {
  let now = 0;
  const reading = new ReadingPace({ now: () => now, readsMax: 4, windowMs: 4, napMsMax: 20 });
  return {
    read: (atMs, bytes) => {
      now = atMs;
      return reading.read(bytes);
    },
  };
}

test('at rest nothing is delayed', () => {
  const { read } = pace();
  for (let at = 0; at < 1000; at += 2) expect(read(at, 200)).toBe(0);
});

test('many small reads in a short time are joined by naps that grow to their bound', () => {
  const { read } = pace();
  const naps: number[] = [];
  let at = 0;
  for (let turn = 0; turn < 32; turn++) {
    const nap = read(at, 200);
    if (nap > 0) naps.push(nap);
    at += nap;
  }
  expect(naps).toEqual([1, 2, 4, 8, 16, 20, 20, 20]);
  for (let turn = 0; turn < 3; turn++) expect(read(at + 5 * turn, 200)).toBe(0); // calm
  for (let turn = 0; turn < 2; turn++) expect(read(at + 20, 200)).toBe(0);
  read(at + 20, 200);
  expect(read(at + 20, 200)).toBe(1); // the next storm begins with a short nap again
});

test('full reads never nap; a nap that brings enough does not grow, one that brings too much shrinks', () => {
  const { read } = pace();
  for (let turn = 0; turn < 100; turn++) expect(read(0, 65_536)).toBe(0);
  const { read: other } = pace();
  let at = 0;
  const gathered = [0, 0, 0, 65_536, 200_000, 200_000].map((first) => {
    if (first > 0) other(at, first);
    const nap = [1, 2, 3, 4].map(() => other(at, 200)).at(-1) ?? 0;
    at += nap;
    return nap;
  });
  expect(gathered).toEqual([1, 2, 4, 4, 2, 1]);
});
