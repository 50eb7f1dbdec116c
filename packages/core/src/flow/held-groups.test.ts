import { expect, test } from 'vitest';
import { ALL_PIECES } from '../chunks/all.js';
import { must } from '../assert.js';
import type { Expression } from '../expression.js';
import { compiler } from './compile.js';
import { sharedOf } from './groups.js';
import { HeldGroups } from './held-groups.js';
import type { Aggregate } from './plan.js';

const column = (at: number): Expression => ({ op: 'column', column: at });
const aggregate = (fn: string, at: number): Aggregate => ({
  fn,
  args: [column(at)],
  types: [{ kind: 'text', ordered: true }],
  distinct: false,
  order: [],
  filter: null,
});
const COUNT: Aggregate = { ...aggregate('count_all', 0), args: [], types: [] };

function makerOf(aggregates: readonly Aggregate[]): (params: readonly string[]) => HeldGroups {
  const plan = {
    keys: [column(0)],
    types: [{ kind: 'text', ordered: true }] as const,
    aggregates,
    having: [],
  };
  const shared = sharedOf(plan, compiler(ALL_PIECES), false);
  return (params) => new HeldGroups(shared, params);
}

test('a group that nobody is in any more is the next one of another member, and nothing is left in it', () => {
  const make = makerOf([COUNT, aggregate('max', 1)]);
  const [mine, other] = [make(['1']), make(['2'])];
  const row = ['mine', 'of mine'];
  mine.apply([{ key: 'a', old: null, next: row }]);
  const group = must([...mine.groups()][0], 'a group');
  expect(group.shown).toEqual(['mine', '1', 'of mine']);
  mine.apply([{ key: 'a', old: row, next: null }]);
  expect([...mine.groups()]).toEqual([]);
  expect([group.key, group.shown, group.texts.one(), group.states, group.bytes]).toEqual([
    '',
    null,
    null,
    [],
    0,
  ]);
  expect(other.apply([{ key: 'b', old: null, next: ['other', null] }])).toEqual([
    { key: '5:other', old: null, next: ['other', '1', null] },
  ]);
  expect([...other.groups()][0]).toBe(group);
  expect([...mine.groups()]).toEqual([]);
});

test('a group of another plan has the aggregates of its own', () => {
  const [counts, others] = [makerOf([COUNT, COUNT])([]), makerOf([aggregate('max', 1), COUNT])([])];
  counts.apply([{ key: 'a', old: null, next: ['a', 'x'] }]);
  counts.apply([{ key: 'a', old: ['a', 'x'], next: null }]);
  expect(others.apply([{ key: 'b', old: null, next: ['b', 'y'] }])).toEqual([
    { key: '1:b', old: null, next: ['b', 'y', '1'] },
  ]);
});

test('what was told stays as it was told', () => {
  const groups = makerOf([COUNT])([]);
  const [first] = groups.apply([{ key: 'a', old: null, next: ['x'] }]);
  const [second] = groups.apply([{ key: 'b', old: null, next: ['x'] }]);
  groups.apply([{ key: 'c', old: null, next: ['x'] }]);
  expect([first?.next, second?.old, second?.next]).toEqual([
    ['x', '1'],
    ['x', '1'],
    ['x', '2'],
  ]);
});

test('of many groups each is found, in the order in which they came', () => {
  const groups = makerOf([COUNT])([]);
  const names = Array.from({ length: 40 }, (_, at) => `n${at}`);
  for (const name of names) groups.apply([{ key: name, old: null, next: [name] }]);
  for (const name of names) groups.apply([{ key: `${name}+`, old: null, next: [name] }]);
  expect(Array.from(groups.groups(), ({ shown }) => shown)).toEqual(names.map((name) => [name, '2']));
  for (const name of names) {
    groups.apply([{ key: name, old: [name], next: null }]);
    groups.apply([{ key: `${name}+`, old: [name], next: null }]);
  }
  expect([...groups.groups()]).toEqual([]);
});
