import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editRow } from '../edit.js';
import { editsBetween } from './row-edits.js';
import { splicesBetween } from './splices.js';
import type { ColumnEdit } from '../wire.js';

function spliced(before: string, after: string): string | null | undefined {
  return editRow([before], [[0, splicesBetween(before, after)]])[0];
}

/** Texts that have much in common, with characters of two units whose halves are alike, and pieces that occur again. */
const piece = fc.constantFrom(
  '😀',
  '😁',
  '🐀',
  'é',
  '}',
  ']',
  '\n',
  ',',
  ' ',
  '"a"',
  '{"id": 1}',
  'long '.repeat(30),
);
const text = fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 60 });
const change = fc.record({ at: fc.nat(), removed: fc.nat(4), inserted: fc.array(piece, { maxLength: 3 }) });
const pair = fc.tuple(text, fc.array(change, { maxLength: 6 })).map(([before, changes]) => {
  const after = [...before];
  for (const { at, removed, inserted } of changes)
    after.splice(at % (after.length + 1), removed, ...inserted);
  return [before.join(''), after.join('')] as const;
});

test('the splices of any two texts make the new one of the old one', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        pair,
        fc.tuple(text, text).map(([a, b]) => [a.join(''), b.join('')] as const),
      ),
      ([a, b]) => {
        expect(spliced(a, b)).toBe(b);
        if (a === b) expect(splicesBetween(a, b)).toEqual([]);
      },
    ),
    { numRuns: 3000 },
  );
});

/** Without half a character. */
const whole = (one: string): boolean => !/\p{Surrogate}/u.test(one);

test('no splice begins, ends or inserts within a character', () => {
  fc.assert(
    fc.property(pair, ([before, after]) => {
      fc.pre(whole(before) && whole(after));
      for (const [start, removed, inserted] of splicesBetween(before, after)) {
        expect(whole(before.slice(0, start))).toBe(true);
        expect(whole(before.slice(start, start + removed))).toBe(true);
        expect(whole(inserted)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
});

test('one character for its neighbour, one half of which is the same', () => {
  expect(splicesBetween('a😀b', 'a😁b')).toEqual([[1, 2, '😁']]);
  expect(splicesBetween('a\u{1f600}b', 'a\u{1fa00}b')).toEqual([[1, 2, '\u{1fa00}']]);
});

interface Comment {
  readonly id: number;
  readonly author: { readonly id: number; readonly name: string };
  readonly body: string;
  readonly tags: readonly string[];
}

const comments: readonly Comment[] = Array.from({ length: 1000 }, (_, id) => ({
  id,
  author: { id: id % 7, name: ['Ada', 'Grace', 'Edsger'][id % 3] ?? '' },
  body: `What I think of this: ${(id * 7919) % 1009}, and "no more" than that 😀.`,
  tags: id % 4 === 0 ? [] : ['a', 'b'],
}));

const prints: Readonly<Record<string, (list: readonly Comment[]) => string>> = {
  jsonb: (list) => JSON.stringify(list).replaceAll('":', '": ').replaceAll(',"', ', "'),
  'json_agg of rows': (list) => `[${list.map((one) => JSON.stringify(one)).join(', \n ')}]`,
  tuples: (list) =>
    JSON.stringify(list.map(({ id, author, body, tags }) => [id, [author.id, author.name], body, tags])),
};

const altered = (list: readonly Comment[], ...at: number[]): Comment[] =>
  list.map((one, index) => (at.includes(index) ? { ...one, body: `${one.body} Edited.` } : one));

const changes: Readonly<Record<string, readonly Comment[]>> = {
  'one added at the end': [...comments, { ...(comments[5] as Comment), id: 1000, body: 'New.' }],
  'one added at the front': [{ ...(comments[5] as Comment), id: 1000, body: 'New.' }, ...comments],
  'one added between': comments.toSpliced(400, 0, { ...(comments[5] as Comment), id: 1000, body: 'New.' }),
  'one removed': comments.toSpliced(321, 1),
  'one changed': altered(comments, 700),
  'two changed, far apart': altered(comments, 3, 990),
  'one changed at each end, one gone and one new': [
    ...altered(comments, 0, 999).toSpliced(500, 1),
    { ...(comments[1] as Comment), id: 1000 },
  ],
  'one moved': [...comments.toSpliced(10, 1), comments[10] as Comment],
};

const cases = Object.keys(prints).flatMap((print) =>
  Object.keys(changes).map((name) => [print, name] as const),
);

test.each(cases)('of 1,000 children as %s, %s: less than 1 kB', (print, name) => {
  const row = (list: readonly Comment[]): string => JSON.stringify(['7', prints[print]?.(list) ?? '', null]);
  const [before, after] = [row(comments), row(changes[name] ?? [])];
  const edits = editsBetween(before, after) ?? '';
  expect(edits.length).toBeGreaterThan(0);
  expect(edits.length).toBeLessThan(700);
  expect(editRow(JSON.parse(before) as string[], JSON.parse(edits) as ColumnEdit[])).toEqual(
    JSON.parse(after),
  );
});

test('every element changes a little: only that is told', () => {
  const after = altered(comments, ...comments.keys());
  const splices = splicesBetween(JSON.stringify(comments), JSON.stringify(after));
  expect(splices.map(([, removed, { length }]) => [removed, length])).toEqual(after.map(() => [0, 8]));
});

test('columns that stay are not told; short rows, and rows of which little stays, come whole', () => {
  const long = 'long '.repeat(100);
  const row = (...texts: (string | null)[]): string => JSON.stringify(texts);
  expect(editsBetween(row('1', long, 'a', null), row('1', long, 'b', null))).toBe('[[2,"b"]]');
  expect(editsBetween(row('1', long, null, 'x'), row('1', long, 'b', null))).toBe('[[2,"b"],[3,null]]');
  expect(editsBetween(row('1', long), row('1', `${long}.`))).toBe('[[1,[[500,0,"."]]]]');
  expect(editsBetween(row('1', 'a'), row('1', 'b'))).toBeNull();
  expect(editsBetween(row('1', long), row('1', long.replaceAll('long', 'tall')))).toBeNull();
});

/** Far more than it takes where others work as well; far less than time that grows with the square of the length. */
const LINEAR_MS = 60_000;

test(
  'long texts are compared in linear time, whatever they are like',
  () => {
    const numbers = Array.from({ length: 5e4 }, (_, i) => i).join();
    const texts = ['}'.repeat(2.5e5), 'a'.repeat(2.5e5), '{"a":1},'.repeat(3e4), numbers];
    for (const before of texts) {
      for (const after of texts) {
        const changed = `x${after.slice(0, 1e5)}y${after.slice(1e5)}z`;
        expect(spliced(before, changed) === changed).toBe(true);
      }
    }
  },
  LINEAR_MS,
);
