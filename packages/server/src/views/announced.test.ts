import { expect, test } from 'vitest';
import { Announced } from './announced.js';

test('what is announced is read once, and forgotten when it is taken, or when others are announced', () => {
  const read: string[] = [];
  const announced = new Announced(({ name }: { readonly name: string }) => {
    read.push(name);
    return name === 'none' ? null : name;
  });
  const [one, none, other] = [{ name: 'one' }, { name: 'none' }, { name: 'other' }];
  expect(announced.announce([one, none])).toEqual(['one', null]);
  expect([announced.take(one), announced.take(none)]).toEqual(['one', null]);
  expect(read.splice(0)).toEqual(['one', 'none']);
  expect(announced.take(one)).toBe('one');
  announced.announce([one]);
  announced.announce([other]);
  expect(read.splice(0)).toEqual(['one', 'one', 'other']);
  expect([announced.take(one), announced.take(other)]).toEqual(['one', 'other']);
  expect(read).toEqual(['one']);
});
