import { expect, test } from 'vitest';
import { EXACT_MINORS, isFrom, SOUND_MINORS } from './minimum-minors.js';

test.each([
  [130_022, false, false],
  [140_017, false, false],
  [140_018, true, false],
  [140_019, true, true],
  [150_012, false, false],
  [150_013, true, false],
  [150_014, true, true],
  [160_008, false, false],
  [160_009, true, false],
  [160_010, true, true],
  [170_004, false, false],
  [170_005, true, false],
  [170_006, true, true],
  [180_000, true, true],
  [190_000, true, true],
])('Postgres %i: complete %s, sound %s', (version, complete, sound) => {
  expect([isFrom(EXACT_MINORS, version), isFrom(SOUND_MINORS, version)]).toEqual([complete, sound]);
});
