import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editRow } from '../edit.js';
import type { Row } from '../value.js';
import type { Op } from '../wire.js';
import { diffRows, type KeyedRow } from './diff.js';
import { editOp, plainOp } from './held-row.js';
import { longestRun } from './longest-run.js';

const answers = fc
  .uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 12 })
  .chain((keys) =>
    fc.tuple(
      ...keys.map((key) =>
        fc
          .integer({ min: 0, max: 5 })
          .map((v): KeyedRow => ({ keyJson: `"${key}"`, json: JSON.stringify([rest(v >> 1), `${v}`]) })),
      ),
    ),
  );

/** Short, or long enough that a row is edited. */
function rest(v: number): string {
  return 'x'.repeat(v * 300);
}

function apply(rows: KeyedRow[], ops: readonly string[]): void {
  for (const text of ops) {
    const [kind, key, to, after] = JSON.parse(text) as Op;
    const at = rows.findIndex((r) => r.keyJson === JSON.stringify(key));
    const held = JSON.parse(rows[at]?.json ?? '[]') as Row;
    if (kind === 'del' || after !== undefined) if (at >= 0) rows.splice(at, 1);
    if (kind === 'del') continue;
    const row = kind === 'edit' ? editRow(held, to) : to;
    const next = { keyJson: JSON.stringify(key), json: JSON.stringify(row) };
    if (after === undefined) rows.splice(at >= 0 ? at : rows.length, at >= 0 ? 1 : 0, next);
    else
      rows.splice(
        after === null ? 0 : rows.findIndex((r) => r.keyJson === JSON.stringify(after)) + 1,
        0,
        next,
      );
  }
}

test('an ordered difference leads from the one answer to the other; without edits also when applied twice', () => {
  fc.assert(
    fc.property(answers, answers, (before, after) => {
      const ops = diffRows(before, after, true);
      const rows = [...before];
      apply(rows, ops.map(plainOp));
      expect(rows).toEqual(after);
      apply(rows, ops.map(plainOp));
      expect(rows).toEqual(after);
      const edited = [...before];
      apply(edited, ops.map(editOp));
      expect(edited).toEqual(after);
    }),
    { numRuns: 2000 },
  );
});

test('an unordered difference has the same rows', () => {
  fc.assert(
    fc.property(answers, answers, (before, after) => {
      const rows = [...before];
      apply(rows, diffRows(before, after, false).map(editOp));
      expect(new Set(rows.map((r) => r.keyJson + r.json))).toEqual(
        new Set(after.map((r) => r.keyJson + r.json)),
      );
    }),
  );
});

test('equal answers need no operation, and one moved row needs one', () => {
  const rows = ['a', 'b', 'c', 'd'].map((key) => ({ keyJson: `"${key}"`, json: '[]' }));
  expect(diffRows(rows, rows, true)).toEqual([]);
  const [a, b, c, d] = rows as [KeyedRow, KeyedRow, KeyedRow, KeyedRow];
  expect(diffRows(rows, [d, a, b, c], true)).toEqual(['["put","d",[],null]']);
  expect(longestRun([3, 0, 1, -1, 2])).toEqual(new Set([1, 2, 4]));
});
