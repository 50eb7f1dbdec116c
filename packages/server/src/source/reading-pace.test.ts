import { expect, test } from 'vitest';
import { ReadingPace, type Come } from './reading-pace.js';

/** What a transaction of one row brings: its begin, its row, its commit. */
const ONE: Come = { bytes: 240, messages: 3, commits: 1 };

function times(count: number, come: Come = ONE): Come {
  const { bytes, messages, commits } = come;
  return { bytes: bytes * count, messages: messages * count, commits: commits * count };
}

/** Transactions of one row come so often, evenly; what came during a nap comes at its end. @returns the naps. */
function nap(everyMs: number, forMs: number, pace = new ReadingPace()): number[] {
  const naps: number[] = [];
  let awakeAt = 0;
  let waiting = 0;
  for (let turn = 1; turn * everyMs <= forMs; turn++) {
    waiting++;
    const at = turn * everyMs;
    if (at < awakeAt) continue;
    const napMs = pace.read(at, times(waiting));
    waiting = 0;
    if (napMs > 0) naps.push(napMs);
    awakeAt = at + napMs;
  }
  return naps;
}

test('at rest nothing is delayed, nor at 500 transactions a second', () => {
  expect(nap(20, 10_000)).toEqual([]);
  expect(nap(2, 10_000)).toEqual([]);
});

test('a transaction that is alone never waits, in however many pieces it comes', () => {
  const pace = new ReadingPace();
  for (let at = 0; at < 1000; at += 3) {
    for (const [piece, commits] of [0, 0, 0, 1, 0].entries())
      expect(pace.read(at + piece / 20, { bytes: 80, messages: 1, commits })).toBe(0);
  }
});

test('under load naps grow while they gather little, to 5 ms', () => {
  expect(nap(0.5, 40).slice(0, 6)).toEqual([1, 2, 4, 5, 5, 5]);
  expect(nap(0.2, 22).slice(0, 5)).toEqual([1, 2, 4, 5, 5]);
  expect(nap(0.05, 10).slice(0, 4)).toEqual([1, 2, 2, 2]); // 40 together are enough
});

test('when the load ends, so do the naps; the next storm begins with a short one again', () => {
  const pace = new ReadingPace();
  expect(nap(0.2, 22, pace).at(-1)).toBe(5);
  for (let at = 30; at < 100; at += 3) expect(pace.read(at, ONE)).toBe(0);
  expect(pace.read(200, ONE)).toBe(0);
  expect(pace.read(200.3, ONE)).toBe(0);
  expect(pace.read(200.6, ONE)).toBe(1);
});

test('two that meet by chance begin no series of naps', () => {
  const pace = new ReadingPace();
  expect(pace.read(0, times(3))).toBe(1);
  for (let at = 2; at < 100; at += 2) expect(pace.read(at, ONE)).toBe(0);
});

test('a wake-up that comes late is no calm, when as much more came', () => {
  const pace = new ReadingPace();
  expect(pace.read(0, times(3))).toBe(1);
  expect(pace.read(15, times(30))).toBe(2);
  expect(pace.read(30, times(8))).toBe(1); // a new storm
  expect(pace.read(45, times(2))).toBe(0);
});

test('a large transaction in many pieces is joined as well', () => {
  const pace = new ReadingPace();
  const naps = Array.from({ length: 40 }, (_, piece) =>
    pace.read(piece / 20, { bytes: 80, messages: 1, commits: 0 }),
  );
  expect(naps.findIndex((napMs) => napMs > 0)).toBe(23);
});

test('full reads never nap, and halve the nap after them', () => {
  const pace = new ReadingPace();
  const full = { bytes: 65_536, messages: 500, commits: 100 };
  for (let turn = 0; turn < 100; turn++) expect(pace.read(turn / 10, full)).toBe(0);
  expect(nap(0.2, 22, pace).at(-1)).toBe(5);
  expect(pace.read(23, full)).toBe(0);
  expect(pace.read(24, { ...times(100), bytes: 10_000 })).toBe(2);
});
