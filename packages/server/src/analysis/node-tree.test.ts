import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDatum, isNode, readNodeTree, type TreeNode, type TreeValue } from './node-tree.js';

function fieldsOf(value: TreeValue): Record<string, TreeValue> {
  if (!isNode(value)) throw new Error('not a node');
  return Object.fromEntries(value.fields);
}

test('nodes, lists, null and every kind of list', () => {
  expect(readNodeTree('<>')).toBeNull();
  expect(readNodeTree('()')).toEqual([]);
  expect(readNodeTree('(o 1 2)')).toEqual(['1', '2']);
  expect(readNodeTree('(b)')).toEqual([]);
  expect(readNodeTree('("b" "x y")'.replace('x y', 'x\\ y'))).toEqual(['b', 'x y']);
  const node = readNodeTree('{A :x <> :y (i 1) :z {B} :w true}') as TreeNode;
  expect(node.tag).toBe('A');
  expect(fieldsOf(node)).toEqual({ x: null, y: ['1'], z: { tag: 'B', fields: new Map() }, w: 'true' });
});

test('strings are told from null, numbers and lists by what escapes them', () => {
  expect(
    fieldsOf(readNodeTree('{A :a "" :b \\<> :c \\"x" :d :e :f \\1 :g a\\{b\\}\\(\\)\\\\ :h [}')),
  ).toEqual({
    a: '',
    b: '<>',
    c: '"x"',
    d: ':e',
    f: '1',
    g: 'a{b}()\\',
    h: '[',
  });
  expect(readNodeTree('("" "<>" "o" "\\"")')).toEqual(['', '<>', 'o', '"']);
});

test('the bytes of a constant', () => {
  const { c, d, e } = fieldsOf(
    readNodeTree(
      '{A :c {CONST :constvalue 4 [ 1 0 -1 -128 0 0 0 0 ]} :d {CONST :constvalue <>} :e {CONST :constvalue 0 [ ]}}',
    ),
  );
  const datum = (value: TreeValue | undefined): TreeValue => fieldsOf(value ?? null)['constvalue'] ?? null;
  expect(datum(c)).toEqual({ length: 4, bytes: Uint8Array.from([1, 0, 255, 128, 0, 0, 0, 0]) });
  expect(datum(d)).toBeNull();
  expect(isDatum(datum(e))).toBe(true);
});

test.each([
  '',
  '{A',
  '{A :x}',
  '{A :x 1 :x 2}',
  '{:x 1}',
  '{A x 1}',
  '(1 2',
  '(1 2))',
  ')',
  '("a)',
  'a\\',
  '{A :constvalue 4 [ 1 2}',
  '{A :constvalue 4 [ 300 ]}',
  '{A :constvalue 4 1}',
])('what is not a tree is said to be none: %s', (text) => {
  expect(() => readNodeTree(text)).toThrowError(expect.objectContaining({ code: 'analysis_unreadable' }));
});

test('the bounds of depth and of size', () => {
  const deep = (levels: number): string => '('.repeat(levels) + ')'.repeat(levels);
  expect(() => readNodeTree(deep(500))).not.toThrow();
  expect(() => readNodeTree(deep(501))).toThrowError(
    expect.objectContaining({ detail: 'nested deeper than 500' }),
  );
  expect(() => readNodeTree('(1 2)', { depthMax: 9, charsMax: 4 })).toThrowError(
    expect.objectContaining({ detail: 'more than 4 characters' }),
  );
});

/** As `outToken` of Postgres writes strings. */
function outToken(text: string): string {
  if (text === '') return '""';
  const head = /^(?:[<"]|\d|[+-](?:\d|\.))/.test(text) ? '\\' : '';
  return head + text.replace(/[ \n\t(){}\\]/g, '\\$&');
}

test('any string comes back', () => {
  const strings = fc.string({ unit: fc.constantFrom(...'ab \n\t(){}[]\\"<>:01-+.o😀ä') });
  fc.assert(
    fc.property(fc.array(strings), strings, (list, one) => {
      const quoted = list.map((text) => `"${text.replace(/[ \n\t(){}\\]/g, '\\$&')}"`);
      const text = `{A :list (${quoted.join(' ')}) :one ${outToken(one)}}`;
      expect(fieldsOf(readNodeTree(text))).toEqual({ list, one });
    }),
  );
});
