import { expect, test } from 'vitest';
import { caseText, readCase } from './fuzz-case.js';
import { shrunkCase, type Ring } from './shrunk-case.js';
import type { Finding } from './trial.js';

// What becomes of a finding, by how its replays behave. Here replays are functions of the case alone; through the whole
// product: socket-shrink.pg.test.ts.

const FINDING: Finding = {
  wrong: 'Postgres: 1, held: 2',
  late: false,
  model: {
    tables: [],
    views: [],
    rows: [],
    transactions: Array.from({ length: 8 }, () => [{ kind: 'truncate', table: 't0' }]),
    made: { body: 'SELECT 1', order: '', limit: '', columns: [], ordering: { kind: 'none' } },
    bindings: [[]],
  },
};
const BOUNDS = { attemptsMax: 1_000, endMs: Infinity };

/** @param wrong of a replay, by how many there were before */
function ring(wrong: (before: number) => string | null, late = false): Ring & { replays: number } {
  return {
    manners: ['one by one', 'at once'],
    triesMax: 3,
    replays: 0,
    within(work) {
      return work(() => Promise.resolve({ wrong: wrong(this.replays++), late }));
    },
  };
}

test('what does not repeat is left as it is, and says so', async () => {
  const never = ring(() => null);
  const shrunk = await shrunkCase(FINDING, 'again', never, BOUNDS);
  expect(shrunk).toMatchObject({ attempts: 6, isRepeated: false });
  expect(shrunk.case.transactions).toHaveLength(8);
  expect(shrunk.case.what).toBe(
    'found by again\nNOT REPEATED in 6 replays, and not made smaller: Postgres: 1, held: 2',
  );
});

test('an answer that does not come is another fault than one that is wrong', async () => {
  const shrunk = await shrunkCase(
    FINDING,
    'again',
    ring(() => 'wrong', true),
    BOUNDS,
  );
  expect(shrunk.isRepeated).toBe(false);
});

test('what is wrong in one manner alone is made smaller in that manner, which the case names', async () => {
  const isAtOnce = (one: { manner: string | null }): boolean => one.manner === 'at once';
  const second: Ring = {
    manners: ['one by one', 'at once'],
    triesMax: 1,
    within: (work) => work((one) => Promise.resolve({ wrong: isAtOnce(one) ? 'wrong' : null, late: false })),
  };
  const shrunk = await shrunkCase(FINDING, 'again', second, BOUNDS);
  expect(shrunk.case).toMatchObject({ manner: 'at once', transactions: [] });
  expect(readCase(caseText(shrunk.case))).toEqual(shrunk.case);
});

test('what shows every second time alone is made smaller all the same', async () => {
  const manners = ['one by one'] as const;
  const shrunk = await shrunkCase(
    FINDING,
    'again',
    { ...ring((before) => (before % 2 === 1 ? 'wrong' : null)), manners },
    BOUNDS,
  );
  expect(shrunk).toMatchObject({ isRepeated: true, case: { transactions: [] } });
});

test('when its time is over it is as small as it has become', async () => {
  const always = ring(() => 'wrong');
  const shrunk = await shrunkCase(FINDING, 'again', always, { ...BOUNDS, endMs: performance.now() });
  expect(shrunk.case.transactions).toHaveLength(8);
  expect(always.replays).toBe(2);
  const never = ring(() => null);
  await shrunkCase(FINDING, 'again', never, { ...BOUNDS, endMs: performance.now() });
  expect(never.replays).toBe(2);
  const few = await shrunkCase(
    FINDING,
    'again',
    ring(() => 'wrong'),
    { ...BOUNDS, attemptsMax: 1 },
  );
  expect(few.case.transactions).toEqual([]);
});
