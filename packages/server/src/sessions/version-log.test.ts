import { expect, test } from 'vitest';
import type { Spot } from './spot.js';
import { NO_PLACE, SPAN_BYTES, VersionLog, type Span } from './version-log.js';

const BYTES = 44;

function spanOf(n: number, arrivedMs: number, letGo: (place: number, span: Span) => void): Span {
  const answer = { from: BigInt(n) as Spot, through: null, n, error: null, arrivedMs };
  const delta = new Uint8Array(BYTES);
  return {
    owner: { letGo },
    ...answer,
    previous: NO_PLACE,
    before: NO_PLACE,
    delta,
    plain: delta,
    count: 1,
  };
}

test('the oldest go first, by bytes and by age, and are told; places stay what they were', () => {
  const log = new VersionLog({ logAgeMs: 1000, logBytesTotalMax: 10 * (SPAN_BYTES + BYTES) });
  const gone: number[] = [];
  const places: number[] = [];
  const push = (n: number, nowMs: number): void =>
    void places.push(
      log.push(
        spanOf(n, nowMs, (place) => gone.push(place)),
        nowMs,
      ),
    );
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
  const log = new VersionLog({ logAgeMs: 1000, logBytesTotalMax: 1e6 });
  const told: number[] = [];
  const places = [0, 1, 2].map((n) =>
    log.push(
      spanOf(n, 0, (place) => told.push(place)),
      0,
    ),
  );
  log.remove(places[1] ?? NO_PLACE);
  log.remove(places[1] ?? NO_PLACE);
  expect(places.map((place) => log.at(place)?.n)).toEqual([0, undefined, 2]);
  expect(log.bytes).toBe(2 * (SPAN_BYTES + BYTES));
  log.push(
    spanOf(3, 2000, () => undefined),
    2000,
  );
  expect(told).toEqual([places[0], places[2]]);
  expect(log.at(NO_PLACE)).toBe(null);
});
