import { expect, test } from 'vitest';
import type { Expression } from '../expression.js';
import { missingReason, whyNotReproduced } from './missing.js';

const column = (index: number): Expression => ({ op: 'column', column: index });

test('a function that is reproduced has no reason', () => {
  expect(missingReason('int4pl')).toBe(null);
  expect(whyNotReproduced({ op: 'call', fn: 'int4pl', args: [column(0), column(1)] })).toBe(null);
});

test('what is missing is said with its reason, wherever in the expression it is', () => {
  const regex: Expression = { op: 'call', fn: 'textregexeq', args: [column(0), column(1)] };
  const within: Expression = { op: 'case', arms: [[regex, column(0)]], otherwise: column(1) };
  expect(whyNotReproduced(within)).toContain('regular expressions');
  expect(
    whyNotReproduced({ op: 'any', fn: 'dpow', left: column(0), array: column(1), type: { kind: 'float' } }),
  ).toContain('C library');
});

test('types for which a function is not reproduced are a reason too', () => {
  const text = { kind: 'text', ordered: false } as const;
  const less: Expression = { op: 'call', fn: 'text_lt', args: [column(0), column(1)], types: [text, text] };
  expect(whyNotReproduced(less)).toBe('not reproduced: the order of a collation');
  const greatest: Expression = { op: 'greatest', args: [column(0)], type: text };
  expect(whyNotReproduced(greatest)).toBe('not reproduced: the order of text');
});

test('a name that only looks like one of ours is none', () => {
  expect(missingReason('toString')).not.toBe(null);
  expect(missingReason('constructor')).not.toBe(null);
});
