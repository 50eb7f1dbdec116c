import { bucketCount, bucketOf, digest } from '@sluice/core/digest';
import { asLsn } from '@sluice/core/lsn';
import { formatPosition, type Position } from '@sluice/core/position';
import type { Row, RowKey } from '@sluice/core/value';
import type { Op } from '@sluice/core/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inNamedBuckets } from './resume.js';
import { SEED, shape } from './testing/scripted-server.js';
import { ViewRows } from './view-rows.js';

type Keyed = readonly (readonly [RowKey, Row])[];

const at = (n: number): Position => formatPosition('1.1', asLsn(BigInt(n)));

type Edit = { readonly kind: 'value' | 'move' | 'drop' | 'add'; readonly at: number; readonly by: number };

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('value', 'move', 'drop', 'add'),
  at: fc.nat(40),
  by: fc.nat(40),
});

/** Results of a query at successive positions: a few edits lead from each to the next. */
const results: fc.Arbitrary<readonly Keyed[]> = fc
  .tuple(fc.nat(30), fc.array(fc.array(edit, { maxLength: 5 }), { maxLength: 6 }))
  .map(([size, rounds]) => {
    const first: Keyed = Array.from({ length: size }, (_, i) => [`k${i}`, [String(i), 'v0']]);
    return rounds.reduce<Keyed[]>(
      (sequence, edits) => [...sequence, edits.reduce(edited, sequence.at(-1) ?? first)],
      [first],
    );
  });

function edited(rows: Keyed, { kind, at: place, by }: Edit): Keyed {
  const list = [...rows];
  const index = list.length === 0 ? 0 : place % list.length;
  if (kind === 'add') {
    if (!list.some(([key]) => key === `k${by}`)) list.splice(index, 0, [`k${by}`, [String(by), 'new']]);
    return list;
  }
  const [taken] = list.splice(index, 1);
  if (!taken || kind === 'drop') return list;
  const [key, row] = taken;
  if (kind === 'value') list.splice(index, 0, [key, [row[0] ?? null, `v${by}`]]);
  else list.splice(by % (list.length + 1), 0, taken);
  return list;
}

/** What leads from one result to the next: deletes, then puts from the first place on; what stays is told without a place. */
function ops(from: Keyed, to: Keyed): Op[] {
  const keys = new Set(to.map(([key]) => key));
  const held = new Map(from);
  const order: RowKey[] = from.map(([key]) => key).filter((key) => keys.has(key));
  const list: Op[] = from.filter(([key]) => !keys.has(key)).map(([key]) => ['del', key]);
  to.forEach(([key, row], index) => {
    const after = to[index - 1]?.[0] ?? null;
    const place = order.indexOf(key);
    if (place === index && held.get(key)?.[1] === row[1]) return;
    if (place >= 0) order.splice(place, 1);
    order.splice(index, 0, key);
    list.push(place === index ? ['put', key, row] : ['put', key, row, after]);
  });
  return list;
}

const shown = (rows: Keyed): unknown => rows.map(([, [id, title]]) => ({ id: Number(id), title }));

test('deltas lead to what the naive result is, in order, and unchanged rows stay the same objects', () => {
  fc.assert(
    fc.property(results, (sequence) => {
      const [first = [], ...rest] = sequence;
      const view = new ViewRows(shape(), 'decoded');
      view.replace(first, at(0));
      let before = first;
      rest.forEach((result, index) => {
        const objects = new Map(view.rows.map((row) => [view.keyOf(row), row]));
        const array = view.rows;
        const delta = ops(before, result);
        view.apply(delta, at(index + 1));
        expect(view.rows).toEqual(shown(result));
        if (delta.length === 0) expect(view.rows).toBe(array);
        for (const [key, row] of result) {
          const same = before.some(([other, text]) => other === key && text[1] === row[1]);
          const now = view.rows[result.findIndex(([other]) => other === key)];
          if (same) expect(now).toBe(objects.get(key));
        }
        view.apply(delta, at(index + 1)); // idempotent (C13)
        expect(view.rows).toEqual(shown(result));
        before = result;
      });
    }),
    { numRuns: 300 },
  );
});

test('whole rows and differences lead to the same', () => {
  fc.assert(
    fc.property(results, (sequence) => {
      const [first = [], ...rest] = sequence;
      const whole = new ViewRows(shape(), 'decoded');
      const merged = new ViewRows(shape(), 'decoded');
      for (const view of [whole, merged]) view.replace(first, at(0));
      let before = first;
      for (const result of rest) {
        const described = merged.copy();
        whole.replace(result, at(1));
        const of = bucketCount(merged.size) + 2;
        const ours = digest(SEED, merged.texts(), of);
        const theirs = digest(SEED, result, of);
        const buckets = theirs.buckets.flatMap((sum, i) => (sum === ours.buckets[i] ? [] : [i]));
        const bucket = bucketOf(SEED, of);
        const difference = {
          ...({ kind: 'difference', view: 'v', at: at(1), of, buckets } as const),
          rows: result.filter(([key]) => buckets.includes(bucket(key))),
        };
        const order = ours.order === theirs.order ? undefined : result.map(([key]) => key);
        merged.merge(merged, inNamedBuckets(difference, SEED), difference.rows, order, at(1));
        expect(whole.rows).toEqual(shown(result));
        expect(merged.rows).toEqual(shown(result));
        const elsewhere = new ViewRows(shape(), 'decoded');
        elsewhere.merge(described, inNamedBuckets(difference, SEED), difference.rows, order, at(1));
        expect(elsewhere.rows).toEqual(shown(result));
        expect(described.rows).toEqual(shown(before));
        before = result;
      }
    }),
    { numRuns: 300 },
  );
});

test('unordered views keep the order of arrival', () => {
  const view = new ViewRows(shape(undefined, false), 'decoded');
  view.replace([['b', ['2', 'b']], ['a', ['1', 'a']]], at(0)); // prettier-ignore
  view.apply([['put', 'b', ['2', 'B']], ['put', 'c', ['3', 'c']]], at(1)); // prettier-ignore
  expect(view.rows.map((row) => row['title'])).toEqual(['B', 'a', 'c']);
});

test('in an order what is told without a place stays where it is: a row that is put, and one that is edited', () => {
  const view = new ViewRows(shape(), 'decoded');
  view.replace([['b', ['2', 'b']], ['a', ['1', 'a']], ['c', ['3', 'c']]], at(0)); // prettier-ignore
  view.apply([['put', 'b', ['2', 'B']], ['edit', 'a', [[1, 'A']]], ['put', 'd', ['4', 'd'], 'b']], at(1)); // prettier-ignore
  expect(view.rows.map((row) => row['title'])).toEqual(['B', 'd', 'A', 'c']);
  view.apply([['put', 'c', ['3', 'C'], null], ['put', 'd', ['4', 'D']], ['edit', 'c', [[1, 'CC']]]], at(2)); // prettier-ignore
  expect(view.rows.map((row) => row['title'])).toEqual(['CC', 'B', 'D', 'A']);
});

test('an operation costs the same in a view of 100 rows and of 20,000', () => {
  // Of the processor: what else a busy machine does meanwhile is not counted.
  const timePerOp = (size: number): number => {
    const view = new ViewRows(shape(), 'decoded');
    view.replace(Array.from({ length: size }, (_, i) => [`k${i}`, [String(i), 'x']] as const), at(0)); // prettier-ignore
    const rounds = 20_000;
    const begin = process.cpuUsage();
    for (let i = 0; i < rounds; i++) {
      const key = `k${(i * 7919) % size}`;
      view.apply([['put', key, ['1', `y${i}`], `k${(i * 104_729) % size}`]], at(i));
    }
    return process.cpuUsage(begin).user / rounds;
  };
  timePerOp(100);
  // With work proportional to the size it would be 200 times; memory and noise get room.
  expect(timePerOp(20_000) / timePerOp(100)).toBeLessThan(40);
});
