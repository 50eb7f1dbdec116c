import { expect, test } from 'vitest';
import { Feed } from './feed.js';
import type { Spot } from './spot.js';
import { NO_PLACE, SPAN_BYTES, VersionLog, type Span } from './version-log.js';

const BYTES = 44;

function spanOf(n: number, arrivedMs: number): Span {
  const answer = { from: BigInt(n) as Spot, through: null, n, error: null, arrivedMs };
  const delta = new Uint8Array(BYTES);
  return { view: 0, ...answer, previous: NO_PLACE, before: NO_PLACE, delta, plain: delta, count: 1 };
}

test('the oldest go first, by bytes and by age, and are told; places stay what they were', () => {
  const gone: number[] = [];
  const bounds = { logAgeMs: 1000, logBytesTotalMax: 10 * (SPAN_BYTES + BYTES) };
  const log = new VersionLog(bounds, (place) => gone.push(place));
  const places: number[] = [];
  const push = (n: number, nowMs: number): void => void places.push(log.push(spanOf(n, nowMs), nowMs));
  for (let n = 0; n < 20_000; n++) push(n, 0);
  expect(gone).toEqual(places.slice(0, -10));
  expect(places.map((place) => log.at(place)?.n)).toEqual([
    ...Array.from({ length: 19_990 }, () => undefined),
    ...Array.from({ length: 10 }, (_, at) => 19_990 + at),
  ]);
  expect(log.bytes).toBe(10 * (SPAN_BYTES + BYTES));
  push(20_000, 1001);
  expect(gone).toEqual(places.slice(0, -1));
  expect(log.bytes).toBe(SPAN_BYTES + BYTES);
});

test('what is removed is gone, and takes no bytes', () => {
  const told: number[] = [];
  const log = new VersionLog({ logAgeMs: 1000, logBytesTotalMax: 1e6 }, (place) => told.push(place));
  const places = [0, 1, 2].map((n) => log.push(spanOf(n, 0), 0));
  expect(log.remove(places[1] ?? NO_PLACE)).toBe(SPAN_BYTES + BYTES);
  expect(log.remove(places[1] ?? NO_PLACE)).toBe(0);
  expect(places.map((place) => log.at(place)?.n)).toEqual([0, undefined, 2]);
  expect(log.bytes).toBe(2 * (SPAN_BYTES + BYTES));
  log.push(spanOf(3, 2000), 2000);
  expect(told).toEqual([places[0], places[2]]);
  expect(log.at(NO_PLACE)).toBe(null);
});

test('of what a view says twice about one position the log holds the last', () => {
  const log = new VersionLog({ logAgeMs: 1000, logBytesTotalMax: 1e6 }, () => undefined);
  const about = {
    view: 'v',
    place: 0,
    chain: 'c',
    shape: { columns: [], ordered: false },
    geared: { gear: 'incremental' },
  } as const;
  const feed = new Feed(about, { logVersionsMax: 10, logBytesMax: 1e6 }, log);
  const at = (n: number): Spot => BigInt(n) as Spot;
  const error = { code: 'answer_failed', message: 'division by zero', hint: '', retry: false };
  feed.rows(at(10), new Uint8Array(BYTES), 0, 0);
  for (let n = 0; n < 5; n++) feed.error(at(20), error, 0);
  expect([feed.bytes, log.bytes]).toEqual([2 * SPAN_BYTES, 2 * SPAN_BYTES]);
  expect([feed.spanAt(at(19))?.error, feed.spanAt(at(20))?.error]).toEqual([null, error]);
  feed.forgetLog();
  expect(log.bytes).toBe(0);
});
